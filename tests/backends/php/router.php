<?php
// PHP's built-in server with a router, as its manual shows: files where they are, a table of paths for the rest.
$path = rawurldecode(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH) ?? '');
$places = [
    '/admin' => 'admin',
    '/admin/x' => 'admin-x',
    '/files/secret' => 'secret',
    '/report.pdf' => 'report',
    '/büro' => 'buero',
];
if (isset($places[$path])) {
    echo 'marker<' . $places[$path] . '>';
    return true;
}
if (str_starts_with($path, '/files/public/')) {
    return false;
}
http_response_code(404);
echo 'nothing';
