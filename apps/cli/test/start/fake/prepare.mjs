// Migrates nothing and answers an invented client and admin, unless FAKE_PREPARE is `endless`.
process.on('SIGINT', () => {});
process.once('message', ({ demo }) => {
  process.send({ migrated: true });
  const made = { keyId: 'rk_test_1', secret: `rs_${process.pid}` };
  const admin = {
    name: 'admin',
    password: `P${process.pid}`.padEnd(16, 'x'),
    totpUri: 'otpauth://totp/Replenish:admin?secret=A',
  };
  if (process.env.FAKE_PREPARE === 'endless') return;
  if (demo) process.send({ demo: demo.kept ?? made, admin: demo.kept ? null : admin }, () => process.exit(0));
});
process.once('disconnect', () => process.exit(0));
