import { automationWords } from './automation.js';
import { codeWords } from './codes.js';
import { deskWords } from './desk.js';
import { domainWords } from './domain.js';
import { filedWords } from './filed.js';
import { pageWords } from './pages.js';
import { rechargeWords } from './recharges.js';
import { signInWords } from './sign-in.js';

/** Texts in Simplified Chinese, keyed by the English text. A text that is missing here is shown in English. */
export const chinese: Readonly<Record<string, string>> = {
  ...codeWords,
  ...domainWords,
  ...rechargeWords,
  ...pageWords,
  ...automationWords,
  ...deskWords,
  ...filedWords,
  ...signInWords,
};
