# Mojolicious with routes. Formats are off, as they are by default.
use v5.36;
use utf8;
use Mojolicious::Lite;

app->log->level('fatal');

my %places = (
    '/admin' => 'admin', '/admin/x' => 'admin-x', '/files/secret' => 'secret',
    '/report.pdf' => 'report', '/büro' => 'buero',
);
for my $route (sort keys %places) {
    my $place = $places{$route};
    get $route => sub ($c) { $c->render(text => "marker<$place>") };
}
get '/admin/:name' => sub ($c) { $c->render(text => 'marker<admin-below>') };
get '/files/public/*rest' => sub ($c) { $c->render(text => 'marker<public>') };

app->start('daemon', '-l', "http://127.0.0.1:$ENV{PORT}", '--requests', '1000000', '--inactivity-timeout', '60');
