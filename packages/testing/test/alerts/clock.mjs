// A test loads this file into a process with `--import`. SIGUSR2 then moves the clock that the process reads.
const AHEAD_MS = 7_000;
const clock = Date.now;
let aheadMs = 0;
Date.now = () => clock() + aheadMs;
process.on('SIGUSR2', () => {
  aheadMs = AHEAD_MS;
});
