// Node's http with a table of paths, read as everybody has read `request.url` for years: by `new URL` with a base.
'use strict';

const http = require('node:http');
const { answerBy, port } = require('./shared');

const answer = answerBy((request) => new URL(request.url, `http://${request.headers.host}`).pathname);
http.createServer({ keepAliveTimeout: 60_000 }, answer).listen(port, '127.0.0.1');
