const CHINA_OFFSET_MS = 8 * 3_600_000;

/** A time as Alibaba Cloud writes it: `yyyy-MM-dd HH:mm:ss` of UTC+8, without a zone. */
export const chinaTime = (atMs: number): string =>
  new Date(atMs + CHINA_OFFSET_MS).toISOString().slice(0, 19).replace('T', ' ');
