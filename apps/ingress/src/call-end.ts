import type { Response } from 'express';

type Ends = { ends?: (() => void)[] };

/** Runs when the call is over, answered or not, in the order asked. One listener a response serves everyone. */
export function atEnd(response: Response, work: () => void): void {
  const locals = response.locals as Ends;
  if (locals.ends) {
    locals.ends.push(work);
    return;
  }
  const ends = [work];
  locals.ends = ends;
  response.once('close', () => {
    for (const each of ends) each();
  });
}
