// Fastify (find-my-way) with its defaults, and files by its own plugin.
'use strict';

const path = require('node:path');
const fastify = require(process.argv[2]);
const { files, marker, places, port } = require('./shared');

const app = fastify({ logger: false, keepAliveTimeout: 60_000, ...JSON.parse(process.argv[4] || '{}') });
for (const [route, place] of Object.entries(places)) {
  if (!route.startsWith('/files/')) app.get(route, async () => marker(place));
}
app.get('/admin/:name', async () => marker('admin-below'));
app.get('/büro/:name', async () => marker('buero-below'));
app.register(require(process.argv[3]), { root: path.join(files, 'files'), prefix: '/files/' });
app.listen({ port, host: '127.0.0.1' });
