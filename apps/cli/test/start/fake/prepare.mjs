// Migrates nothing and answers an invented client, unless FAKE_PREPARE is `endless`.
process.on('SIGINT', () => {});
process.once('message', ({ demo }) => {
  process.send({ migrated: true });
  const made = { keyId: 'rk_test_1', secret: `rs_${process.pid}` };
  if (process.env.FAKE_PREPARE === 'endless') return;
  if (demo) process.send({ demo: demo.kept ?? made, admin: null }, () => process.exit(0));
});
process.once('disconnect', () => process.exit(0));
