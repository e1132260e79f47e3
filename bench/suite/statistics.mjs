export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Ratios of values from the same round, because a slow minute slows both values of a round. */
export const ratios = (ours, theirs) => ours.map((value, round) => value / theirs[round]);

/** The order of two contenders in a round. They alternate: the first of one round is the second in the next. */
export const inTurn = (names, round) => (round % 2 === 1 ? names : [...names].reverse());

/** Lines that compare two checkouts: figures of `ours` divided by those of `before`, from turns of the same round. */
export const besideLines = (what, { ours, before }, figures) =>
  Object.entries(figures).map(([name, of]) =>
    line(`${what}, ours / before: ${name}`, ratios(ours.map(of), before.map(of)), undefined, { digits: 3 }),
  );

/** One line of the result table: the median, the lowest and highest value, and whether the goal was reached. */
export function line(what, values, goal, { digits = 2, isCost = false } = {}) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const figures = `${median(values).toFixed(digits)} (${low.toFixed(digits)}..${high.toFixed(digits)})`;
  const isReached = isCost ? median(values) <= goal : median(values) >= goal;
  const verdict =
    goal === undefined ? '' : `goal ${isCost ? '<= ' : ''}${goal}  ${isReached ? 'ok' : 'missed'}`;
  return `${what.padEnd(34)} ${figures.padEnd(24)} ${verdict}`.trimEnd();
}
