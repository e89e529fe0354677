# Rack with a map of places, a regular expression whose end is that of a line, as Ruby has it, and a server of files.
app = Rack::Builder.app do
  place = ->(name) { ->(_env) { [200, { "content-type" => "text/plain" }, ["marker<#{name}>"]] } }
  exact = lambda do |name, below|
    ->(env) { (env["PATH_INFO"].empty? || env["PATH_INFO"] == "/" ? place[name] : below).call(env) }
  end
  map("/admin/x") { run exact["admin-x", place["admin-below"]] }
  map("/admin") { run exact["admin", place["admin-below"]] }
  files = Rack::Files.new(ENV.fetch("FILES"))
  map("/") do
    run ->(env) { (Rack::Utils.unescape_path(env["PATH_INFO"]).b.match?(%r{\A/report\.pdf$}) ? place["report"] : files).call(env) }
  end
end

run app
