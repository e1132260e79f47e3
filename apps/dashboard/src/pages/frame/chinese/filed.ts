/**
 * The sentences that our code files in the books, keyed by the English ones. `{name}` stands for a value. Of two
 * sentences that fit a text, the first one counts.
 */
export const filedWords: Readonly<Record<string, string>> = {
  // Why a recharge moved.
  'to be sent to {provider}': '将发送给 {provider}',
  '{provider} took the order': '{provider} 已接受订单',
  '{provider} settled at once': '{provider} 立即结算',
  '{provider} refused the order: {code}': '{provider} 拒绝了订单：{code}',
  'no answer that says what became of it: {cause}': '没有能说明结果的回应：{cause}',
  'certainly not executed: {cause}': '确定没有执行：{cause}',
  '{provider} says: {status}': '{provider} 报告：{status}',
  '{provider} has {n} orders of one reference': '{provider} 有 {n} 个编号相同的订单',
  '{provider} has no such order': '{provider} 没有该订单',
  '{provider} does not say: {cause}': '{provider} 没有说明：{cause}',
  '{provider} has ended the order': '{provider} 已结束订单',
  '{provider} settled the order before it could be canceled': '{provider} 在取消之前已结算订单',
  '{provider} says that the payment is under way': '{provider} 称付款正在进行',
  '{provider} cannot end the order yet': '{provider} 还不能结束订单',
  '{provider} event {id}: {status}': '{provider} 事件 {id}：{status}',
  'its client cancels it': '其客户端取消',
  'canceled by {actor}: {reason}': '{actor} 取消：{reason}',
  'approved by {actor}': '{actor} 批准',
  'its approval is void: the payee of the account has changed since': '其审批已失效：账户的收款方已改变',
  'its approval has expired': '其审批已过期',
  'not approved: {reason} ({actor})': '未获批准：{reason}（{actor}）',
  'not approved: {reason}': '未获批准：{reason}',
  '{actor} says that line {line} of the statement is its money: {reason}':
    '{actor} 认定账单行 {line} 是其款项：{reason}',
  '{verb} by {actor}: {reason} (order {order} is given up)':
    '{actor} 决定{verb}：{reason}（放弃订单 {order}）',
  '{verb} by {actor}: {reason}': '{actor} 决定{verb}：{reason}',
  'the provider settled another amount than the one that was asked for, and that amount is in the wallet':
    '渠道结算的金额与请求不同，该金额已记入钱包',
  'the provider settled another amount than the one that was asked for, and that amount is paid back':
    '渠道结算的金额与请求不同，该金额已退回',
  'It is being proven that the provider does not have the order, before it is sent again: {done} of {needed} searches have found nothing.':
    '再次发送之前，正在证明渠道没有该订单：需要 {needed} 次查询，其中 {done} 次已确认没有找到。',

  // The later facts that close a case.
  'a later try read and processed the event': '之后已读取并处理该事件',
  'a later report was recorded': '之后的报告已记录',
  'a statement has its line': '账单中已有对应的行',
  'a statement has lines between its ends': '账单中已有缺口内的行',
  'the order was sent, and the provider has it': '订单已发送，渠道已收到',
  'the order ended, and no other amount was paid': '订单已结束，没有支付其他金额',
  'the provider has the order': '渠道有该订单',
  'the recharge is final': '充值已结束',

  // Why an approval ended that nobody decided.
  'nobody decided in time': '没有人及时决定',
  'the plan was canceled': '计划已取消',

  // What people did, and to what.
  'given to {name}': '转给 {name}',
  'given back': '已退还',
  'due {time}': '{time}',
  'due by the default': '使用默认值',
  'wrong password or code from {address}': '来自 {address} 的密码或验证码错误',
  'by single sign-on, from {address}': '通过单点登录，来自 {address}',
  'from {address}': '来自 {address}',
  'instead of the second factor': '代替第二因素',
  'signed out': '已退出登录',
  'role {role}': '角色：{role}',
  'role {role}, by single sign-on': '角色：{role}，通过单点登录',
  'of all people': '所有人的会话',
  'of one person': '一个人的会话',
  'new password and second factor': '新密码和新的第二因素',
  'user {name}': '用户 {name}',
  'key {id}': '密钥 {id}',
  'rule {id}': '规则 {id}',
  'plan {id}': '计划 {id}',
  'delivery {id}': '投递 {id}',
  'approval {id}': '审批 {id}',
  'all rules': '所有规则',
  'bulk {verb} {id}': '批量操作“{verb}” {id}',

  // How a post to a client ended.
  'answered {status}: redirects are not followed': '回应 {status}：不跟随重定向',
  'answered {status}': '回应 {status}',
  'no answer within {n} ms': '{n} 毫秒内没有回应',
  'no connection within {n} s': '{n} 秒内没有连上',
  'the connection was refused': '连接被拒绝',
  'the connection was reset': '连接被重置',
  'the connection was closed without an answer': '连接已关闭，没有回应',
  'the name has no address': '域名没有地址',
  'the headers of the answer are too long': '回应的头部过长',
  'the URL must not lead to this machine or to a private network': '网址不得指向本机或内网',
  'the name must not lead to this machine or to a private network': '域名不得指向本机或内网',
  'failed: {code}': '失败：{code}',

  // Why a line of a plan got no recharge.
  'the key does not cover this account': '密钥不包含该账户',
  'the key has no ceiling for {currency}, so it may not use it':
    '密钥没有 {currency} 的限额，因此不能使用该币种',
  'the small line of the account is over and nothing has arrived at the payee, so nothing more is sent':
    '该账户的试探行已结束，但没有款项到达收款方，因此不再发送',
  'the payee is new, and the account has no line of at most the canary of the plan':
    '收款方是新的，而该账户没有不超过计划试探金额的行',
  "the account's available balance does not cover the amount": '账户的可用余额不足',
  'amount: is more than the balance of the account can hold beside what is there':
    '金额与现有余额之和超出账户所能容纳',
  'the account has no payee': '账户没有收款方',
  'currency: is not the currency of the payee of the account': '币种与账户收款方的币种不同',
  'the amount is above what this key may ask for': '金额超过该密钥的限额',
  'another recharge has the key of this line': '另一笔充值使用了该行的幂等键',

  // What was unusual about a client.
  '{n} recharges, usually {usual}': '{n} 笔充值，通常为 {usual} 笔',
  '{n} {currency}, usually up to {usual}': '{n} {currency}，通常不超过 {usual}',
};
