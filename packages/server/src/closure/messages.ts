import { defineMessage } from '../notifications/index.ts';
import type { Choices } from './model.ts';

interface Receipt {
  readonly caseNumber: string;
  readonly accessCode: string;
  readonly submittedAt: string;
  readonly promisedAt: string;
  readonly statusUrl: string;
  readonly choices: Choices;
  readonly appeal: string;
}

const chosen = (c: Choices): string => JSON.stringify(c);

/** The acknowledgement of an application, on a durable medium: number, content, date and time, deadline, appeal route. */
export const receiptMessage = defineMessage<Receipt>({
  kind: 'closure.receipt',
  render: {
    en: (r) => ({
      subject: `We have your application to close your account (${r.caseNumber})`,
      text: `Case number: ${r.caseNumber}\nAccess code: ${r.accessCode}\nReceived: ${r.submittedAt}\nAnswer at the latest: ${r.promisedAt}\nYour choices: ${chosen(r.choices)}\n`
        + `Where it stands, without signing in: ${r.statusUrl}\nIf you disagree with how it is decided: ${r.appeal}`,
    }),
    'zh-Hans': (r) => ({
      subject: `已收到您的注销申请（${r.caseNumber}）`,
      text: `案件号：${r.caseNumber}\n访问码：${r.accessCode}\n收到时间：${r.submittedAt}\n最迟答复：${r.promisedAt}\n您的选择：${chosen(r.choices)}\n`
        + `无需登录即可查询进度：${r.statusUrl}\n如对处理结果有异议：${r.appeal}`,
    }),
    'zh-Hant': (r) => ({
      subject: `已收到您的註銷申請（${r.caseNumber}）`,
      text: `案件編號：${r.caseNumber}\n存取碼：${r.accessCode}\n收到時間：${r.submittedAt}\n最遲答覆：${r.promisedAt}\n您的選擇：${chosen(r.choices)}\n`
        + `無需登入即可查詢進度：${r.statusUrl}\n如對處理結果有異議：${r.appeal}`,
    }),
  },
});

export const refusedMessage = defineMessage<{ readonly caseNumber: string; readonly reason: string; readonly legalGround: string; readonly complaintBody: string }>({
  kind: 'closure.refused',
  render: {
    en: (r) => ({
      subject: `Your application ${r.caseNumber} was refused`,
      text: `Reason: ${r.reason}\nLegal ground: ${r.legalGround}\nYou can complain to: ${r.complaintBody}`,
    }),
    'zh-Hans': (r) => ({ subject: `您的申请 ${r.caseNumber} 未获批准`, text: `原因：${r.reason}\n法律依据：${r.legalGround}\n您可以向以下机构投诉：${r.complaintBody}` }),
    'zh-Hant': (r) => ({ subject: `您的申請 ${r.caseNumber} 未獲核准`, text: `原因：${r.reason}\n法律依據：${r.legalGround}\n您可以向以下機構申訴：${r.complaintBody}` }),
  },
});

export const withdrawnMessage = defineMessage<{ readonly caseNumber: string }>({
  kind: 'closure.withdrawn',
  render: {
    en: (r) => ({ subject: `Application ${r.caseNumber} withdrawn`, text: 'You have withdrawn your application. Your account stays open, and nothing was lost.' }),
    'zh-Hans': (r) => ({ subject: `申请 ${r.caseNumber} 已撤回`, text: '您已撤回注销申请。账户保持开通，一切如旧。' }),
    'zh-Hant': (r) => ({ subject: `申請 ${r.caseNumber} 已撤回`, text: '您已撤回註銷申請。帳戶維持開通，一切如舊。' }),
  },
});

export const exportMessage = defineMessage<{ readonly caseNumber: string; readonly link: string; readonly until: string }>({
  kind: 'closure.export',
  render: {
    en: (r) => ({ subject: `Your data (${r.caseNumber})`, text: `Your data is ready as one ZIP file: ${r.link}\nThe link works without signing in until ${r.until}.` }),
    'zh-Hans': (r) => ({ subject: `您的数据（${r.caseNumber}）`, text: `您的数据已打包为一个 ZIP 文件：${r.link}\n此链接无需登录，有效期至 ${r.until}。` }),
    'zh-Hant': (r) => ({ subject: `您的資料（${r.caseNumber}）`, text: `您的資料已打包為一個 ZIP 檔：${r.link}\n此連結無需登入，有效期至 ${r.until}。` }),
  },
});

/** The last message: the account is closed. The certificate and the holder's opening are attached. */
export const confirmationMessage = defineMessage<{ readonly caseNumber: string; readonly closedAt: string; readonly trustUrl: string }>({
  kind: 'closure.confirmation',
  render: {
    en: (r) => ({
      subject: `Your account is closed (${r.caseNumber})`,
      text: `Your account was closed at ${r.closedAt}. Attached are the certificate with its proof, and a file of your own that shows the certificate is about `
        + `this address; we keep no copy of that file. Anyone can verify the certificate offline with the issuer's trust file: ${r.trustUrl}\nThis is our last message to you.`,
    }),
    'zh-Hans': (r) => ({
      subject: `您的账户已注销（${r.caseNumber}）`,
      text: `您的账户已于 ${r.closedAt} 注销。附件为注销证书及其证明，以及一份仅由您持有、可证明该证书属于此邮箱的文件（我们不留副本）。`
        + `任何人都可凭签发方的信任文件离线验证证书：${r.trustUrl}\n这是我们发给您的最后一条消息。`,
    }),
    'zh-Hant': (r) => ({
      subject: `您的帳戶已註銷（${r.caseNumber}）`,
      text: `您的帳戶已於 ${r.closedAt} 註銷。附件為註銷憑證及其證明，以及一份僅由您持有、可證明該憑證屬於此信箱的檔案（我們不留副本）。`
        + `任何人皆可憑簽發方的信任檔離線驗證憑證：${r.trustUrl}\n這是我們發給您的最後一則訊息。`,
    }),
  },
});
