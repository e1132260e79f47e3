/** The words of the sign-in, keyed by the English ones. */
export const signInWords: Readonly<Record<string, string>> = {
  'Sign in': '登录',
  'The console is for operators.': '控制台供操作员使用。',
  'makes a user.': '可创建用户。',
  Password: '密码',
  'Code of your authenticator': '身份验证器的验证码',
  'Six digits, or a recovery code. Viewers leave it empty.': '六位数字，或一个恢复码。查看者无需填写。',
  'Sign in with your company account': '使用公司账号登录',
  'Wrong name, password or code.': '名称、密码或验证码错误。',
  'wrong name, password or code': '名称、密码或验证码错误',
  'Too many attempts. Wait a minute, then try again.': '尝试次数过多。请等待一分钟后再试。',
  'The OpenID provider does not answer. Try again, or sign in with a password.':
    'OpenID 提供方没有响应。请重试，或使用密码登录。',
  'This sign-in began in another browser, or more than ten minutes ago. Begin again.':
    '此次登录是在另一个浏览器中开始的，或已超过十分钟。请重新开始。',
  'The OpenID provider did not let you in.': 'OpenID 提供方拒绝了您的登录。',
  'Your account at the OpenID provider has no role here. An administrator can give it one.':
    '您在 OpenID 提供方的账号在此没有角色。管理员可以为其分配角色。',
  'Your account at the OpenID provider has no name that can be used here.':
    '您在 OpenID 提供方的账号没有可在此使用的名称。',
  'Another user has your name here. An administrator can rename or remove that user.':
    '此处已有同名用户。管理员可以将该用户改名或删除。',
  'You are disabled here. An administrator can reset your user.':
    '您的用户已被停用。管理员可以重置您的用户。',
  'Signed in': '已登录',
  'To the console': '进入控制台',
  'Your role is {role}. What it may do needs codes of an authenticator.':
    '您的角色是{role}。该角色的操作需要身份验证器的验证码。',
  'Add this address to yours. It is shown only this once:':
    '请将此地址添加到您的身份验证器。它仅显示这一次：',
  'Keep these recovery codes. Each serves once, instead of the authenticator:':
    '请保存这些恢复码。每个可代替身份验证器使用一次：',
};
