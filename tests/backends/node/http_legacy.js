// Node's http with a table of paths, read by `url.parse`, and over HTTP/2 as well.
'use strict';

const http = require('node:http');
const http2 = require('node:http2');
const { parse } = require('node:url');
const { answerBy, port } = require('./shared');

const answer = answerBy((request) => parse(request.url).pathname);
http.createServer({ keepAliveTimeout: 60_000 }, answer).listen(port, '127.0.0.1');
http2.createServer(answer).listen(Number(process.env.PORT_HTTP2), '127.0.0.1');
