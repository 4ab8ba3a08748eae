import type { Reader } from '../platform/db/index.ts';
import type { Concern, SubjectHolder } from '../platform/subject/index.ts';
import { isOnDevice, tail } from './model.ts';
import type { Line } from './model.ts';
import * as store from './store.ts';

async function allLines(db: Reader, accountId: string): Promise<Line[]> {
  const found: Line[] = [];
  for (let before: string | null = null; ;) {
    const batch: Line[] = await store.linesOf(db, accountId, before, 200);
    found.push(...batch);
    before = batch.at(-1)?.lineId ?? null;
    if (batch.length < 200) return found;
  }
}

function concernsOf(line: Line): Concern[] {
  const about = { lineId: line.lineId, iccidTail: tail(line.iccid ?? ''), service: line.service, delivery: line.delivery };
  const found: Concern[] = [];
  if (line.service !== 'terminated') {
    found.push({
      code: 'lines/in-service',
      severity: 'info',
      title: { en: 'This line will be stopped at the operator', 'zh-Hans': '这条线路将在运营商处停用', 'zh-Hant': '這條線路將在電信商處停用' },
      owner: 'system',
      eta: 'PT10M',
      about,
    });
  }
  if (isOnDevice(line)) {
    found.push({
      code: 'lines/on-device',
      severity: 'info',
      title: {
        en: 'A phone holds this line’s profile: delete it there while online, after the closure has begun; a lost phone is no obstacle',
        'zh-Hans': '有一部手机装有此线路的配置文件：注销开始后请在联网状态下在手机上删除；手机遗失也不影响注销',
        'zh-Hant': '有一支手機裝有此線路的設定檔：註銷開始後請在連線狀態下於手機上刪除；手機遺失也不影響註銷',
      },
      owner: 'traveller',
      eta: 'PT72H',
      about,
    });
  }
  return found;
}

/** What lines keeps of an account. */
export const linesHolder: SubjectHolder = {
  slice: 'lines',
  closureConcerns: async (db, accountId) => (await allLines(db, accountId)).flatMap(concernsOf),
  exportData: async (db, accountId) => [
    {
      name: 'lines',
      rows: (await allLines(db, accountId)).map((line) => ({
        lineId: line.lineId, planId: line.planId, iccid: line.iccid, delivery: line.delivery, service: line.service,
        createdAt: line.createdAt.toISOString(), activatedAt: line.activatedAt?.toISOString() ?? null, terminatedAt: line.terminatedAt?.toISOString() ?? null,
      })),
    },
    {
      name: 'devices',
      rows: (await store.devicesOf(db, accountId)).map((row) => ({
        deviceId: row.deviceId, eid: row.eid, firstSeenAt: row.firstSeenAt.toISOString(), lineId: row.lineId, delivery: row.delivery,
      })),
    },
  ],
  erase: async (tx, accountId) => {
    const { iccids, devices } = await store.eraseOf(tx, accountId);
    return { erased: { iccids, devices }, kept: {} };
  },
};
