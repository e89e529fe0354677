// Node's http with a table of paths, read as everybody has read `request.url` for years: by `new URL` with a base.
'use strict';

const http = require('node:http');
const { marker, places, port } = require('./shared');

http
  .createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    let place;
    try {
      place = places[decodeURIComponent(new URL(request.url, `http://${request.headers.host}`).pathname)];
    } catch {
      // Neither a URL nor an escape.
    }
    response.statusCode = place ? 200 : 404;
    response.end(place ? marker(place) : 'nothing');
  })
  .listen(port, '127.0.0.1');
