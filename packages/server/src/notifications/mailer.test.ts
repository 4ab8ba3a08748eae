import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { smtpMailer } from './mailer.ts';

let server: Server;
let port: number;
let heard: string;
/** A mail server that never offers STARTTLS. */
beforeAll(async () => {
  server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write('220 plain.example.test\r\n');
    socket.on('data', (bytes: Buffer) => {
      heard += bytes.toString();
      const [command = ''] = bytes.toString().split(/\s/);
      socket.write(command === 'EHLO' ? '250-plain.example.test\r\n250 8BITMIME\r\n' : '502 not here\r\n');
    });
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => { server.close(); });

test('where TLS is required, no address and no text goes to a server that does not speak it', async () => {
  heard = '';
  const url = `smtp://me:hunter2@127.0.0.1:${port}`;
  const mailer = smtpMailer({ url, fromName: 'Yuanyou', fromAddress: 'hello@yuanyou.example', requireTls: true, timeoutMs: 1500 });
  const outcome = await mailer.send({
    messageId: 'one', to: 'mei@example.test', language: 'en', code: 'ABCD', subject: 'A plan', text: 'Your plan', attachments: [],
  });
  expect(outcome).toMatchObject({ kind: 'later' });
  expect(heard).toMatch(/^EHLO .*\r\nSTARTTLS/);
  expect(heard).not.toMatch(/hunter2|mei@|AUTH|Your plan/);
});
