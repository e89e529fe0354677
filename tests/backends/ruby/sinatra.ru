# Sinatra with its defaults (rack-protection among them), on puma.
require "sinatra/base"

class App < Sinatra::Base
  set :environment, :production

  def self.marker(place) = "marker<#{place}>"

  get("/admin") { App.marker("admin") }
  get("/admin/x") { App.marker("admin-x") }
  get("/admin/:name") { App.marker("admin-below") }
  get("/files/secret") { App.marker("secret") }
  get("/files/a b") { App.marker("blank") }
  get("/files/public/*") { App.marker("public") }
  get("/report.pdf") { App.marker("report") }
  get("/büro") { App.marker("buero") }
end

run App
