// Koa with its router and files.
'use strict';

const path = require('node:path');
const Koa = require('koa');
const { Router } = require('@koa/router');
const { send } = require('@koa/send');
const { files, marker, places, port } = require('./shared');

const app = new Koa({ silent: true });
app.silent = true;
const router = new Router();
for (const [route, place] of Object.entries(places)) {
  if (!route.startsWith('/files/')) router.get(encodeURI(route), (context) => { context.body = marker(place); });
}
router.get('/admin/:name', (context) => { context.body = marker('admin-below'); });
router.get(encodeURI('/büro/:name'), (context) => { context.body = marker('buero-below'); });
app.use(router.routes());
app.use(async (context) => { if (context.path.startsWith('/files/')) await send(context, context.path, { root: files }); });
app.listen(port, '127.0.0.1').keepAliveTimeout = 60_000;
