<?php
// A front controller, to which the web server hands every path that is no file.
$path = rawurldecode(strtok($_SERVER['REQUEST_URI'], '?'));
$places = ['/admin' => 'admin', '/admin/x' => 'admin-x', '/files/secret' => 'secret', '/report.pdf' => 'report', '/büro' => 'buero'];
$place = $places[rtrim($path, '/')] ?? (str_starts_with($path, '/files/public/') ? 'public' : null);
http_response_code($place ? 200 : 404);
echo $place ? "marker<$place>" : 'nothing';
