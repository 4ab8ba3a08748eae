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
      text: 'The password of your account was changed, and other devices were signed out.\n\nIf this was not you, write to us at once.',
    }),
    'zh-Hans': () => ({ subject: '您的密码已更改', text: '您的账户密码已更改，其他设备均已退出登录。\n\n若非您本人操作，请立即联系我们。' }),
    'zh-Hant': () => ({ subject: '您的密碼已變更', text: '您的帳戶密碼已變更，其他裝置均已登出。\n\n若非您本人操作，請立即與我們聯絡。' }),
  },
});

/** The code that a new password is set with. */
export const resetPassword = defineMessage<{ readonly code: string }>({
  kind: 'accounts.reset-password',
  render: {
    en: ({ code }) => ({
      subject: 'A new password for your account',
      text: `Your code is ${code}\n\nSet a new password with it within 30 minutes. If you did not ask for it, ignore this message: nothing has changed.`,
    }),
    'zh-Hans': ({ code }) => ({
      subject: '重设您的账户密码', text: `您的验证码是 ${code}\n\n请在 30 分钟内用它设置新密码。若非您本人操作，请忽略此消息，账户不会有任何变化。`,
    }),
    'zh-Hant': ({ code }) => ({
      subject: '重設您的帳戶密碼', text: `您的驗證碼是 ${code}\n\n請在 30 分鐘內用它設定新密碼。若非您本人操作，請忽略此訊息，帳戶不會有任何變化。`,
    }),
  },
});

/** The code that makes a guest's account one's own. */
export const claimAccount = defineMessage<{ readonly code: string }>({
  kind: 'accounts.claim',
  render: {
    en: ({ code }) => ({
      subject: 'Keep what you bought in an account of your own',
      text: `Your code is ${code}\n\nWith it and a password you can claim the account within 30 minutes; you can ask for a new code at any time. `
        + 'If you bought nothing with us, ignore this message.',
    }),
    'zh-Hans': ({ code }) => ({
      subject: '将您的购买保存到自己的账户',
      text: `您的验证码是 ${code}\n\n请在 30 分钟内用它和密码认领账户，也可随时重新获取验证码。若您未在此购买，请忽略此消息。`,
    }),
    'zh-Hant': ({ code }) => ({
      subject: '將您的購買保存到自己的帳戶',
      text: `您的驗證碼是 ${code}\n\n請在 30 分鐘內用它和密碼認領帳戶，也可隨時重新取得驗證碼。若您未在此購買，請忽略此訊息。`,
    }),
  },
});

/** The code that a guest proves with who they are. */
export const proveGuest = defineMessage<{ readonly code: string }>({
  kind: 'accounts.step-up',
  render: {
    en: ({ code }) => ({ subject: 'Confirm that it is you', text: `Your code is ${code}\n\nIt counts once, within 30 minutes. If you did not ask for it, ignore this message.` }),
    'zh-Hans': ({ code }) => ({ subject: '请确认是您本人', text: `您的验证码是 ${code}\n\n30 分钟内有效，仅可使用一次。若非您本人操作，请忽略此消息。` }),
    'zh-Hant': ({ code }) => ({ subject: '請確認是您本人', text: `您的驗證碼是 ${code}\n\n30 分鐘內有效，僅可使用一次。若非您本人操作，請忽略此訊息。` }),
  },
});

/** After a passkey or a second proof came or went. */
export const factorsChanged = defineMessage<Record<string, never>>({
  kind: 'accounts.factors-changed',
  render: {
    en: () => ({
      subject: 'How you sign in has changed',
      text: 'A passkey, an authenticator app or recovery codes of your account were added, renewed or removed.\n\nIf this was not you, write to us at once.',
    }),
    'zh-Hans': () => ({ subject: '您的登录方式已更改', text: '您账户的通行密钥、身份验证器或恢复码已被添加、更新或移除。\n\n若非您本人操作，请立即联系我们。' }),
    'zh-Hant': () => ({ subject: '您的登入方式已變更', text: '您帳戶的通行金鑰、驗證器或復原碼已被新增、更新或移除。\n\n若非您本人操作，請立即與我們聯絡。' }),
  },
});
