// Edges between packages, by resolved path; the ranks of the server's slices are laws of tools/tidy.
const tests = '(\\.test\\.ts$|/testing/|/testing\\.ts$|/test/|test-setup\\.ts$)';
const otherThan = (name) => `^packages/(?!${name}/)`;
const npm = 'node_modules/(?!@yuanyou/)';

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-cycle',
      comment: 'Types vanish when the code runs: the rooms of one slice may name the types of its door.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-orphan',
      comment: 'A file that nothing imports and that imports nothing is dead.',
      severity: 'error',
      from: { orphan: true, pathNot: [tests, '\\.config\\.(ts|js)$', '\\.d\\.ts$', '/src/index\\.ts$', '^packages/[^/]+/bin/', '^packages/[^/]+/src/bin/', '^bench/', '^tools/[^/]+\\.ts$'] },
      to: {},
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    { name: 'no-test-in-source', severity: 'error', from: { path: '^packages/', pathNot: tests }, to: { path: '\\.test\\.ts$' } },
    {
      name: 'no-dev-dependency-in-source',
      severity: 'error',
      from: { path: '^packages/[^/]+/(src|bin)/', pathNot: tests },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    // rsp: pure; node:crypto and node:buffer do no I/O.
    { name: 'rsp-imports-no-package', severity: 'error', from: { path: '^packages/rsp/' }, to: { path: otherThan('rsp') } },
    {
      name: 'rsp-does-no-io',
      severity: 'error',
      from: { path: '^packages/rsp/src/', pathNot: tests },
      to: { dependencyTypes: ['core'], path: '^(?!(node:)?(crypto|buffer)$)' },
    },
    { name: 'rsp-needs-no-library', severity: 'error', from: { path: '^packages/rsp/src/', pathNot: tests }, to: { path: npm } },
    // proof: pure, and the same code in the browser.
    { name: 'proof-imports-no-package', severity: 'error', from: { path: '^packages/proof/' }, to: { path: otherThan('proof') } },
    { name: 'proof-runs-in-the-browser', severity: 'error', from: { path: '^packages/proof/src/', pathNot: tests }, to: { dependencyTypes: ['core'] } },
    {
      name: 'proof-needs-noble-only',
      severity: 'error',
      from: { path: '^packages/proof/src/', pathNot: tests },
      to: { path: npm, pathNot: 'node_modules/(@noble/(curves|hashes)|@scure/base)/' },
    },
    // contract: zod and nothing else.
    { name: 'contract-imports-no-package', severity: 'error', from: { path: '^packages/contract/' }, to: { path: otherThan('contract') } },
    { name: 'contract-does-no-io', severity: 'error', from: { path: '^packages/contract/src/', pathNot: tests }, to: { dependencyTypes: ['core'] } },
    { name: 'contract-needs-zod-only', severity: 'error', from: { path: '^packages/contract/src/', pathNot: tests }, to: { path: npm, pathNot: 'node_modules/zod/' } },
    // server, cli, testbed
    { name: 'server-knows-no-client', severity: 'error', from: { path: '^packages/server/' }, to: { path: '^packages/(testbed|cli|web)/' } },
    {
      name: 'server-holds-no-phone',
      comment: 'The phone is the other end of the wire; a test may drive one.',
      severity: 'error',
      from: { path: '^packages/server/src/', pathNot: tests },
      to: { path: '^packages/rsp/src/(euicc|lpa|testing)/' },
    },
    { name: 'cli-is-a-client', severity: 'error', from: { path: '^packages/cli/' }, to: { path: '^packages/(server|testbed|web)/' } },
    { name: 'testbed-knows-no-cli', severity: 'error', from: { path: '^packages/testbed/' }, to: { path: '^packages/(cli|web)/' } },
    { name: 'packages-know-no-tool', severity: 'error', from: { path: '^packages/' }, to: { path: '^(tools|bench)/' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(\\.cache|dist|coverage)/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'], extensions: ['.ts', '.js', '.mjs', '.json'] },
  },
};
