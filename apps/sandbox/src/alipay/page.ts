import { type StoredTrade, yuanOf } from './trade.js';

const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);

/** The page on which a payer pays. */
export const payPage = (trade: StoredTrade): string => `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Alipay simulator</title>
<style>body{font:16px system-ui;max-width:30rem;margin:4rem auto}button{font:inherit;padding:.5rem 1rem}</style>
<h1>Alipay simulator</h1>
<p>${escaped(trade.subject)}</p><p><strong>CNY ${yuanOf(trade.fen)}</strong></p>
<form method="post" action="/pay/${escaped(trade.outTradeNo)}"><button>Pay</button></form>
</html>`;
