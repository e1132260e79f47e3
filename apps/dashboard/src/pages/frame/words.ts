import type { Request, Response } from 'express';
import { chinese } from './chinese/chinese.js';

export type Language = 'en' | 'zh';

/**
 * Translates a sentence into the reader's language. `{n}` stands for the value with the name `n`. A sentence without a
 * translation stays English.
 */
export type Say = (english: string, values?: Readonly<Record<string, string | number | bigint>>) => string;

export const sayIn =
  (language: Language): Say =>
  (english, values = {}) => {
    const words = language === 'zh' ? (chinese[english] ?? english) : english;
    return words.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
  };

const COOKIE = /(?:^|;\s*)replenish_language=(en|zh)(?:;|$)/;

/** The language of the address, of the cookie that an earlier choice left, or of the browser. */
export function languageOf(request: Request): Language {
  const { lang } = request.query;
  if (lang === 'en' || lang === 'zh') return lang;
  const kept = COOKIE.exec(request.headers.cookie ?? '')?.[1];
  if (kept === 'en' || kept === 'zh') return kept;
  return request.acceptsLanguages('en', 'zh') === 'zh' ? 'zh' : 'en';
}

const YEAR_MS = 365 * 86_400_000;

/** Keeps a language that the address chose, so that the next pages have it too. */
export function keepLanguage({ query }: Pick<Request, 'query'>, response: Response): void {
  const { lang } = query;
  if (lang === 'en' || lang === 'zh')
    response.cookie('replenish_language', lang, { sameSite: 'strict', path: '/', maxAge: YEAR_MS });
}

/** The language in the form that the attribute `lang` of a page has. */
export const documentLanguage = (language: Language): string => (language === 'zh' ? 'zh-CN' : 'en');
