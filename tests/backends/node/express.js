// Express with its defaults: case does not count in routes, and a trailing slash neither.
'use strict';

const path = require('node:path');
const express = require(process.argv[2]);
const { files, marker, places, port } = require('./shared');

const app = express();
const admin = express.Router();
admin.get('/', (request, response) => response.send(marker('admin')));
admin.get('/x', (request, response) => response.send(marker('admin-x')));
admin.get('/:name', (request, response) => response.send(marker('admin-below')));
app.use('/admin', admin);
for (const route of ['/report.pdf', '/büro']) {
  // Express compares routes with what is still escaped.
  app.get(encodeURI(route), (request, response) => response.send(marker(places[route])));
}
app.get(encodeURI('/büro/:name'), (request, response) => response.send(marker('buero-below')));
app.use('/files', express.static(path.join(files, 'files')));
app.use((error, request, response, next) => response.status(400).send('unreadable'));
app.listen(port, '127.0.0.1').keepAliveTimeout = 60_000;
