import { join } from 'node:path';
import { openJournal, readJournal } from '../simulator/journal.ts';

export type SubscriberState = 'active' | 'suspended' | 'terminated';

export interface Subscriber {
  readonly iccid: string;
  readonly imsi: string;
  readonly state: SubscriberState;
  readonly changedAt: string;
}

/** One line of a usage file. */
export interface UsageRecord {
  readonly id: string;
  readonly start: string;
  readonly stop: string;
  readonly iccid: string;
  readonly imsi: string;
  readonly bytes: number;
  readonly imei: string;
  readonly mccmnc: string;
}

interface KeptAnswer { readonly requestId: string; readonly fingerprint: string; readonly status: number; readonly body: unknown }
interface FileNote { readonly name: string; readonly recordIds: readonly string[]; readonly written: boolean }

type Line =
  | { readonly subscriber: Subscriber }
  | { readonly forgotten: { readonly iccid: string; readonly at: string } }
  | { readonly answer: KeptAnswer }
  | { readonly record: UsageRecord }
  | { readonly file: FileNote };

/** What the operator knows, as another process can read it from the folder. */
export interface OperatorRegister {
  readonly subscribers: readonly Subscriber[];
  readonly forgotten: readonly string[];
  readonly records: readonly UsageRecord[];
}

export interface Register extends OperatorRegister {
  subscriber(iccid: string): Subscriber | undefined;
  isForgotten(iccid: string): boolean;
  answer(requestId: string): KeptAnswer | undefined;
  /** Records that no file holds yet. */
  waiting(): readonly UsageRecord[];
  /** Files begun before a crash, with what belongs in them. */
  unwritten(): readonly { readonly name: string; readonly records: readonly UsageRecord[] }[];
  fileCount(): number;
  save(line: Line): void;
  close(): void;
}

const fileOf = (folder: string): string => join(folder, 'operator-register.jsonl');

class Shelf {
  readonly subscribers = new Map<string, Subscriber>();
  readonly forgotten = new Set<string>();
  readonly answers = new Map<string, KeptAnswer>();
  readonly records = new Map<string, UsageRecord>();
  readonly files = new Map<string, FileNote>();

  put(line: Line): void {
    if ('subscriber' in line) this.subscribers.set(line.subscriber.iccid, line.subscriber);
    else if ('forgotten' in line) {
      this.subscribers.delete(line.forgotten.iccid);
      this.forgotten.add(line.forgotten.iccid);
      for (const record of this.records.values()) if (record.iccid === line.forgotten.iccid) this.records.delete(record.id);
    } else if ('answer' in line) this.answers.set(line.answer.requestId, line.answer);
    else if ('record' in line) this.records.set(line.record.id, line.record);
    else this.files.set(line.file.name, line.file);
  }

  listed(): OperatorRegister {
    return { subscribers: [...this.subscribers.values()], forgotten: [...this.forgotten], records: [...this.records.values()] };
  }
}

/** Reads the register from its folder, also while the simulator runs in another process. */
export function readOperatorRegister(folder: string): OperatorRegister {
  const shelf = new Shelf();
  for (const line of readJournal<Line>(fileOf(folder))) shelf.put(line);
  return shelf.listed();
}

export function openRegister(folder: string): Register {
  const shelf = new Shelf();
  const journal = openJournal<Line>(fileOf(folder), (line) => shelf.put(line));
  return {
    get subscribers() { return shelf.listed().subscribers; },
    get forgotten() { return shelf.listed().forgotten; },
    get records() { return shelf.listed().records; },
    subscriber: (iccid) => shelf.subscribers.get(iccid),
    isForgotten: (iccid) => shelf.forgotten.has(iccid),
    answer: (requestId) => shelf.answers.get(requestId),
    waiting() {
      const filed = new Set([...shelf.files.values()].flatMap((file) => file.recordIds));
      return [...shelf.records.values()].filter((record) => !filed.has(record.id));
    },
    unwritten: () => [...shelf.files.values()].filter((file) => !file.written)
      .map((file) => ({ name: file.name, records: file.recordIds.flatMap((id) => shelf.records.get(id) ?? []) })),
    fileCount: () => shelf.files.size,
    save(line) {
      journal.append(line);
      shelf.put(line);
    },
    close: () => journal.close(),
  };
}
