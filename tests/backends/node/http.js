// Node's http with a table of paths, read as the documentation of `request.url` shows: by way of `new URL`.
'use strict';

const http = require('node:http');
const { answerBy, port } = require('./shared');

const answer = answerBy((request) => new URL(`http://${request.headers.host}${request.url}`).pathname);
http.createServer({ keepAliveTimeout: 60_000 }, answer).listen(port, '127.0.0.1');
