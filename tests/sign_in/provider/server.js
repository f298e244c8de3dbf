// The OpenID provider of the tests: oidc-provider, which is certified, at the addresses and with the words of
// Entra ID. It listens on a free port of 127.0.0.1, prints one line of JSON, {"authority": …}, and ends with its
// standard input.
//
// Environment: TENANT, CLIENT_ID; SECRET, for an app that has one; SCOPE; ACCESS_TTL, DEVICE_TTL, INTERVAL, in seconds;
// STRICT=1, for the words of the RFCs in place of Entra ID's, and none of its numbers.
//
// Nobody has to click: a browser that follows redirects is signed in as `login_hint`, or as ada@partner.example, and
// one whose hint begins with `deny` is refused. What a test does beside that, as JSON by POST:
//   /_test/device  {user_code, action}           approves, denies or expires a device code
//   /_test/answer  {page, status, body, times}   answers the next requests to `token`, `devicecode` or `authorize`
//   /_test/revoke  {}                            revokes every sign-in
//   /_test/seen    {}                            what was asked so far: [{page, form, status, issued}]
import { createServer } from 'node:http';
import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { Provider } from 'oidc-provider';

const { TENANT, CLIENT_ID, SECRET, SCOPE, ACCESS_TTL, DEVICE_TTL, INTERVAL, STRICT } = process.env;
const api = SCOPE.replace(/\/[^/]*$/, '');
const base = `/${TENANT}/oauth2/v2.0`;
const somebody = 'ada@partner.example';
const now = () => Math.floor(Date.now() / 1000);

const server = createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const authority = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(`${authority}/${TENANT}/v2.0`, {
  clients: [{
    client_id: CLIENT_ID,
    ...(SECRET ? { client_secret: SECRET, token_endpoint_auth_method: 'client_secret_post' }
      : { token_endpoint_auth_method: 'none' }),
    application_type: 'native',
    response_types: ['code'],
    redirect_uris: ['http://localhost/'], // on any port
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
  }],
  jwks: { keys: [generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' })] },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  routes: {
    authorization: `${base}/authorize`, token: `${base}/token`, device_authorization: `${base}/devicecode`,
    code_verification: '/devicelogin', jwks: `/${TENANT}/discovery/v2.0/keys`,
  },
  responseTypes: ['code'],
  scopes: ['openid', 'profile', 'offline_access'],
  conformIdTokenClaims: false,
  claims: { openid: ['sub', 'oid', 'tid'], profile: ['name', 'preferred_username'] },
  findAccount: (_, sub) => ({
    accountId: sub,
    claims: () => ({ sub, oid: `id of ${sub}`, tid: TENANT, name: 'Ada Example', preferred_username: sub }),
  }),
  // Every use gives another refresh token, and the one before is used up: its reuse revokes all.
  rotateRefreshToken: true,
  features: {
    devInteractions: { enabled: false },
    deviceFlow: { enabled: true, mask: '*********' },
    resourceIndicators: {
      enabled: true, defaultResource: () => api, useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: SCOPE, audience: api, accessTokenFormat: 'jwt', accessTokenTTL: Number(ACCESS_TTL),
      }),
    },
  },
  ttl: {
    DeviceCode: Number(DEVICE_TTL), Interaction: 600, Session: 3600, Grant: 90 * 86400, RefreshToken: 90 * 86400,
  },
  interactions: { url: (_, interaction) => `/_test/interaction/${interaction.uid}` },
});

// What Entra ID calls the errors of the RFCs, and a number that it tells beside each.
const ENTRA = {
  authorization_pending: [70016], slow_down: [50196], expired_token: [70019], invalid_grant: [70000],
  invalid_client: [7000215], invalid_scope: [70011], access_denied: [65004, 'authorization_declined'],
};
const dressed = (body, codes = ENTRA[body.error]?.slice(0, 1) ?? [90023]) => ({
  ...body,
  error_description: `AADSTS${codes[0]}: ${body.error_description ?? 'refused'}.\r\nTrace ID: ${randomUUID()}`,
  error_codes: codes, trace_id: randomUUID(), correlation_id: randomUUID(), timestamp: new Date().toISOString(),
});

const grants = new Set();
async function grantFor(accountId) {
  const grant = new provider.Grant({ accountId, clientId: CLIENT_ID });
  grant.addOIDCScope('openid profile offline_access');
  grant.addResourceScope(api, SCOPE);
  const id = await grant.save();
  grants.add(id);
  return id;
}

const seen = [];
const forced = { token: [], devicecode: [], authorize: [] };
const polled = new Map();
const answer = (ctx, body, status = 200) => Object.assign(ctx, { status, body });

provider.use(async (ctx, next) => {
  const page = ctx.path.split('/').pop();
  if (ctx.path.startsWith('/_test/')) return test(ctx);
  if (!(page in forced)) return next();
  const entry = { page };
  seen.push(entry);
  if (!ctx.path.startsWith(`/${TENANT}/`)) {
    return answer(ctx, dressed({ error: 'invalid_request', error_description: 'Tenant not found' }, [90002]), 400);
  }
  if (page === 'authorize') entry.form = Object.fromEntries(new URLSearchParams(ctx.querystring));
  const instead = forced[page].shift();
  if (instead && page === 'authorize') {
    const back = new URL(entry.form.redirect_uri);
    back.search = new URLSearchParams({ state: entry.form.state, ...instead.body });
    ctx.redirect(back.href);
  } else if (instead) {
    entry.form = await form(ctx);
    answer(ctx, instead.body, instead.status);
  } else {
    if (page === 'authorize') as_entra_is_asked(ctx);
    const asked = Date.now();
    await next();
    entry.form ??= ctx.oidc?.body;
    if (page === 'devicecode' && ctx.status === 200 && !STRICT) {
      const { verification_uri_complete: _, ...body } = ctx.body;
      answer(ctx, { ...body, interval: Number(INTERVAL) });
    }
    if (page === 'token' && ctx.status >= 400) refuse(ctx, entry.form?.device_code, asked);
    if (page === 'token' && ctx.status === 200) entry.issued = ctx.body;
  }
  entry.status = ctx.status;
});

// Entra ID takes claims of its own, a prompt that the library doesn't know, and gives refresh tokens without consent.
function as_entra_is_asked(ctx) {
  const query = new URLSearchParams(ctx.querystring);
  query.delete('claims');
  query.set('prompt', 'consent');
  ctx.querystring = query.toString();
}

function refuse(ctx, code, asked) {
  let { error } = ctx.body;
  if (code && error === 'authorization_pending') {
    // The library never says that it is asked too often.
    if (asked - (polled.get(code) ?? 0) < Number(INTERVAL) * 900) error = 'slow_down';
    polled.set(code, asked);
  }
  if (STRICT) return answer(ctx, { ...ctx.body, error }, ctx.status);
  const body = dressed({ ...ctx.body, error });
  if (code && error === 'invalid_grant') Object.assign(body, { error: 'bad_verification_code' });
  else body.error = ENTRA[error]?.[1] ?? error;
  answer(ctx, body, ctx.status);
}

async function text(ctx) {
  let all = '';
  for await (const chunk of ctx.req) all += chunk;
  return all;
}
const form = async (ctx) => Object.fromEntries(new URLSearchParams(await text(ctx)));

async function test(ctx) {
  const [, , what, uid] = ctx.path.split('/');
  if (what === 'interaction') return interact(ctx, uid);
  if (what === 'seen') return answer(ctx, seen);
  const asked = JSON.parse((await text(ctx)) || '{}');
  if (what === 'answer') {
    const body = STRICT || !asked.codes ? asked.body : dressed(asked.body, asked.codes);
    for (let time = 0; time < asked.times; time += 1) forced[asked.page].push({ ...asked, body });
  } else if (what === 'revoke') {
    for (const id of grants) {
      await provider.RefreshToken.adapter.revokeByGrantId(id);
      await (await provider.Grant.find(id))?.destroy();
    }
  } else if (what === 'device') {
    await decide(asked);
  }
  return answer(ctx, {});
}

async function interact(ctx) {
  const { params, prompt } = await provider.interactionDetails(ctx.req, ctx.res);
  const accountId = params.login_hint || somebody;
  const no = { error: 'access_denied', error_description: 'the user said no' };
  const yes = async () => (prompt.name === 'login' ? { login: { accountId } }
    : { consent: { grantId: await grantFor(accountId) } });
  const result = accountId.startsWith('deny') ? no : await yes();
  return ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result));
}

async function decide({ user_code, action }) {
  const code = await provider.DeviceCode.findByUserCode(user_code.replace(/\W/g, '').toUpperCase());
  if (action === 'expire') {
    code.exp = now() - 1;
  } else if (action === 'deny') {
    Object.assign(code, { error: 'access_denied', errorDescription: 'the user said no' });
  } else {
    const grantId = await grantFor(somebody);
    Object.assign(code, { accountId: somebody, grantId, scope: code.params.scope, resource: api, authTime: now() });
  }
  await code.save(action === 'expire' ? 60 : undefined);
}

server.on('request', provider.callback());
process.stdin.resume().on('end', () => process.exit());
console.log(JSON.stringify({ authority }));
