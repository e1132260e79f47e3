const FORM = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)$/;

/** Reads a time of the transaction list. It has no zone and means UTC+8. Null when it has another form. */
export function fromChinaTime(text: string): Date | null {
  const [, day, time] = FORM.exec(text) ?? [];
  const at = new Date(`${day}T${time}+08:00`);
  return Number.isNaN(at.getTime()) ? null : at;
}
