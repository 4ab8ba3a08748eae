/** The tree that a form-encoded body spells with brackets, as Stripe's API reads it. */
export interface FormTree { [key: string]: string | FormTree }

const maxKeys = 500;
const maxDepth = 5;

/** Reads `a=1&b[c]=2&d[0]=3&d[]=4`. Throws a RangeError on too many keys or too deep nesting. */
export function parseForm(text: string): FormTree {
  const tree = Object.create(null) as FormTree;
  let keys = 0;
  for (const [name, value] of new URLSearchParams(text)) {
    keys += 1;
    const path = [...name.matchAll(/^[^[\]]+|\[([^[\]]*)\]/g)].map((part) => part[1] ?? part[0]);
    if (keys > maxKeys || path.length > maxDepth || path.length === 0) throw new RangeError('form too large or too deep');
    let at = tree;
    for (const [depth, step] of path.entries()) {
      const key = step === '' ? String(Object.keys(at).length) : step;
      if (depth === path.length - 1) at[key] = value;
      else at = branch(at, key);
    }
  }
  return tree;
}

function branch(at: FormTree, key: string): FormTree {
  const existing = at[key];
  if (typeof existing === 'object') return existing;
  const made = Object.create(null) as FormTree;
  at[key] = made;
  return made;
}

export function text(tree: FormTree, key: string): string | undefined {
  const value = tree[key];
  return typeof value === 'string' ? value : undefined;
}

export function subtree(tree: FormTree, key: string): FormTree {
  const value = tree[key];
  return typeof value === 'object' ? value : {};
}

/** The strings directly under a key: metadata, lists. */
export function strings(tree: FormTree, key: string): Record<string, string> {
  return Object.fromEntries(Object.entries(subtree(tree, key)).filter((pair): pair is [string, string] => typeof pair[1] === 'string'));
}
