# Plack with a map of places and its own server of files, for Starman.
use v5.36;
use utf8;
use Plack::App::File;
use Plack::App::URLMap;

sub place ($name, $below = undef) {
    return sub ($env) {
        return $below->($env) if $below && $env->{PATH_INFO} !~ m{^/?$};
        return [200, ['content-type' => 'text/plain'], ["marker<$name>"]];
    };
}

my $map = Plack::App::URLMap->new;
$map->mount('/admin/x' => place('admin-x', place('admin-below')));
$map->mount('/admin' => place('admin', place('admin-below')));
$map->mount('/' => Plack::App::File->new(root => $ENV{FILES})->to_app);
$map->to_app;
