// What the Node backends have in common: where they listen, and what each place answers with.
'use strict';

exports.port = Number(process.env.PORT);
exports.files = process.env.FILES;
exports.marker = (place) => `marker<${place}>`;
// The routes without a variable part.
exports.places = {
  '/admin': 'admin',
  '/admin/x': 'admin-x',
  '/files/secret': 'secret',
  '/files/public/x': 'public',
  '/report.pdf': 'report',
  '/büro': 'buero',
};

// Answers by a table of places; `pathOf` says how the path is read.
exports.answerBy = (pathOf) => (request, response) => {
  let place;
  try {
    place = exports.places[decodeURIComponent(pathOf(request))];
  } catch {
    // Neither a URL nor an escape.
  }
  response.statusCode = place ? 200 : 404;
  response.end(place ? exports.marker(place) : 'nothing');
};
