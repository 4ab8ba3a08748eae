import { defineMessage } from '../notifications/index.ts';

/** The code that confirms an address. */
export const verifyEmail = defineMessage<{ readonly code: string }>({
  kind: 'accounts.verify-email',
  render: {
    en: ({ code }) => ({
      subject: 'Confirm your email address',
      text: `Your code is ${code}\n\nEnter it in your account within 30 minutes. If you did not ask for it, ignore this message.`,
    }),
    'zh-Hans': ({ code }) => ({
      subject: '请确认您的邮箱',
      text: `您的验证码是 ${code}\n\n请在 30 分钟内在账户中输入。若非您本人操作，请忽略此消息。`,
    }),
    'zh-Hant': ({ code }) => ({
      subject: '請確認您的電子郵件',
      text: `您的驗證碼是 ${code}\n\n請在 30 分鐘內於帳戶中輸入。若非您本人操作，請忽略此訊息。`,
    }),
  },
});

/** To the address an account had until now. */
export const emailChanged = defineMessage<Record<string, never>>({
  kind: 'accounts.email-changed',
  render: {
    en: () => ({
      subject: 'Your account has a new email address',
      text: 'The email address of your account was changed, and messages go to the new one from now on.\n\nIf this was not you, write to us at once.',
    }),
    'zh-Hans': () => ({ subject: '您的账户邮箱已更改', text: '您的账户邮箱已更改，此后的消息将发送到新邮箱。\n\n若非您本人操作，请立即联系我们。' }),
    'zh-Hant': () => ({ subject: '您的帳戶電子郵件已變更', text: '您的帳戶電子郵件已變更，此後的訊息將寄到新地址。\n\n若非您本人操作，請立即與我們聯絡。' }),
  },
});

/** After a new password. */
export const passwordChanged = defineMessage<Record<string, never>>({
  kind: 'accounts.password-changed',
  render: {
    en: () => ({
      subject: 'Your password was changed',
      text: 'The password of your account was changed, and every other device was signed out.\n\nIf this was not you, write to us at once.',
    }),
    'zh-Hans': () => ({ subject: '您的密码已更改', text: '您的账户密码已更改，其他设备均已退出登录。\n\n若非您本人操作，请立即联系我们。' }),
    'zh-Hant': () => ({ subject: '您的密碼已變更', text: '您的帳戶密碼已變更，其他裝置均已登出。\n\n若非您本人操作，請立即與我們聯絡。' }),
  },
});
