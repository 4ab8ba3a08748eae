import { problems } from './core/problem.ts';

/** What can go wrong with orders at the SM-DP+. Phones hear SGP.22's own codes instead, over ES9+. */
export const smdpProblems = problems({
  'smdp/bad-confirmation-code': {
    status: 422,
    title: {
      en: 'A confirmation code has 4 to 32 letters, digits or signs.', 'zh-Hans': '确认码须为 4 至 32 个字母、数字或符号。',
      'zh-Hant': '確認碼須為 4 至 32 個字母、數字或符號。',
    },
  },
  'smdp/not-orderable': {
    status: 409,
    title: { en: 'This profile was withdrawn and cannot be ordered again.', 'zh-Hans': '此配置文件已撤回，不能再次订购。', 'zh-Hant': '此設定檔已撤回，不能再次訂購。' },
  },
  'smdp/unknown-order': {
    status: 404,
    title: { en: 'There is no download order for this profile.', 'zh-Hans': '此配置文件没有下载订单。', 'zh-Hant': '此設定檔沒有下載訂單。' },
  },
  'smdp/withdrawn': {
    status: 409,
    title: { en: 'The download of this profile was withdrawn.', 'zh-Hans': '此配置文件的下载已撤回。', 'zh-Hant': '此設定檔的下載已撤回。' },
  },
  'smdp/pki': {
    status: 500,
    title: {
      en: 'The certificates of the SM-DP+ do not fit together.', 'zh-Hans': 'SM-DP+ 的证书不相符。', 'zh-Hant': 'SM-DP+ 的憑證不相符。',
    },
  },
});
