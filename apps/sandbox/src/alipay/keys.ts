import { createPrivateKey, createPublicKey } from 'node:crypto';
import { simulatorKeys } from '@replenish/runtime';

/** PEM texts. The app signs requests with its key; Alipay signs answers and notifications with its own. */
export type AlipayKeys = Readonly<{
  appPrivateKey: string;
  appPublicKey: string;
  alipayPrivateKey: string;
  alipayPublicKey: string;
}>;

// The key of the simulated Alipay. It is the same on every machine, and worth nothing elsewhere.
const ALIPAY_PRIVATE_KEY = [
  'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC6ohE6x4y8qM9o8G7pOJQgSyYf24jxF+vqEL6iT3k+kGxu',
  'rZdZUJeUXsDLWwkU5QvQEs2NMeoPvs4pceopxQUrGpQgWwo/aTRWe04HS8p4RlITlGE6BrSCg/nPjbKoS014floPfWDA1M90',
  'U7ELDAejGgY/HLJQI33zvrmd+D3QRnvav2x6Ja/t3K1rWx/z1K92gmj6HIH8Es4CqDNDL2VSnqk05jmobIh0AiyIdb7VOSYX',
  'ko/cRexvF6D3EH2bb/YDpYJxtDutbGXQdAKNicdp64epGMq56rR0tubftxEPjOjPtG3AxIu4+FA80z1HS4dSI+RIncAOV4hq',
  'vcYfQaFdAgMBAAECggEAA3+nrTs+oCGRVlgbyG4Quqv711hyMFD5L28D7OvAA2masF9D1z0FsmvpPYauZQCUvmjaOjUlgJGY',
  'J/6s28tlwZKaWN5lo/MB+DMQSNXc/ehIoleHtmcPcUn6ztnTiVVBYl3XeTu61UwuZfGyxAwmUW9SOagOKSbD2DC+Jj/+lTAE',
  'TwtfTw1CPe0O5gW8H7727hzO039a+Zdv8fuDb4zxkS4ZUIOG8Wg1Q/DkKBPKBfz0KeJROh5HKU8u5sv12NZmwLJpmoa56zdi',
  'nHmYS+RdigDRHTbaa/oNGtkag0yJPb32z3PASQsk2EiV1YYJdxfPjgGVIYlhTzcvib9dqH0M4wKBgQDvIO3rkEH4RNWpx20K',
  'rysXeIcGME0SKgWPr7HgS1SuMYg4Efl40MsZE+fCDFKBA/OuaWPL7JIbM/xIkdUFv2ojNfGM41LAD6oFS0mjd30iJ8bTaTPj',
  'l8Hb7gGukFnPBA3CZU8L/R8pPi+eiQy3m1tkaCTdOt0EeHM/XT36F6I15wKBgQDHzPqOSwhkcj08FCcXV5B0fXo4qwfQeZS7',
  '1jtar3vadt/7OPZFY1ydf7q19tFvIxqp8/Flsh0AUaEsi0g9Qi2KlrpAf/SFsU+OzRg1D15bIDcu5DIwFBthvWr8HhSxtaVc',
  'ltRDYK08XpPv+eKV2yAoCVd0CSN4mDLhH5B3NCg+GwKBgFA5qPiFzkwfs9sg5+lUuU1Hh21BGSpF5NW+6RtJyqAiSAQfq6Wn',
  'zuub7P4CKk/UZpWWEAAjXyU3PKWQH3qtLEuh1mchAOskljLufkcUWGv0ElVtDxaFHGnPoMrS7P5x6rfUSz/HbQPmNA2pBxY2',
  'TeQSuINsMyhDzM5uVtOnyCjzAoGAdsUk1F1KGdvHBuW77yZAWt8UPod817LOdXJ+SgQzDcTIlKBh1RGhxoZdSTn1ealWelzm',
  'zNs6XiwoMUCCqteiFtZO1XS6uJaUgoDsuO3v2x+lbhx8sRPiyxE8fa6sAo/GQunuODdKA679JhRXW1mtHd+fuvyLt25SIH0Q',
  '9attmK0CgYEA2vxuIZEDQJKTO4LxVcU7J3394rmawz7jA6C/KSrcgHBCZLjTYC0ra8YsJOcXG2RdQb5cqrTLlEf74yeBTTyS',
  'aFOQAahgUpviSPX5grBCk7JrDn0Tkt6Y3+F63zpYo1jGtgoA4fAmHRuSC+6P4c2HayV5+rv4aH8PRncRJq/fGxg=',
].join('');

/** The keys of the simulated app and of the simulated Alipay. */
export function simulatedKeys(): AlipayKeys {
  const [app, alipay] = [pairOf(simulatorKeys.ALIPAY_PRIVATE_KEY), pairOf(ALIPAY_PRIVATE_KEY)];
  return {
    appPrivateKey: app.privateKey,
    appPublicKey: app.publicKey,
    alipayPrivateKey: alipay.privateKey,
    alipayPublicKey: alipay.publicKey,
  };
}

function pairOf(pkcs8: string) {
  const key = createPrivateKey({ key: Buffer.from(pkcs8, 'base64'), format: 'der', type: 'pkcs8' });
  return {
    privateKey: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKey: createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString(),
  };
}
