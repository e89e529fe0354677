// hapi with its defaults.
'use strict';

const Hapi = require('@hapi/hapi');
const { marker, places, port } = require('./shared');

const server = Hapi.server({ port, host: '127.0.0.1' });
for (const [path, place] of Object.entries(places)) server.route({ method: 'GET', path: encodeURI(path), handler: () => marker(place) });
server.route({ method: 'GET', path: '/admin/{name}', handler: () => marker('admin-below') });
server.route({ method: 'GET', path: encodeURI('/büro/') + '{name}', handler: () => marker('buero-below') });
server.start();
