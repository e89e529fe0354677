//! Routes of the stream: HTTPRoutes with their Gateways, and VirtualServices.

use super::{File, Resource, resources};
use crate::source::{Document, NodeId};

/// Where requests may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Its resource, as `HTTPRoute shop/bookinfo`.
    pub resource: String,
    /// Its hosts; none is every host.
    pub hosts: Vec<String>,
    /// The path in its own words, as `PathPrefix /static`.
    pub words: String,
    /// How the path is matched: `prefix`, `exact` or `regex`.
    pub matcher: &'static str,
    /// With what.
    pub path: String,
    /// Its method; `None` is every method.
    pub method: Option<String>,
    /// The Gateways that it is attached to; none where that is not known.
    pub gateways: Vec<String>,
}

/// The routes of all files, in their order.
pub fn routes(files: &[File]) -> Vec<Route> {
    let mut found = Vec::new();
    for document in files.iter().flat_map(|file| &file.documents) {
        let Some(root) = document.root() else { continue };
        for resource in resources(document, root) {
            match resource.kind.as_str() {
                "HTTPRoute" => http_route(document, &resource, files, &mut found),
                "VirtualService" => virtual_service(document, &resource, &mut found),
                _ => {}
            }
        }
    }
    found
}

fn texts(document: &Document, id: NodeId, way: &[&str]) -> Vec<String> {
    let items = document.at(id, way).map(|items| document.items(items)).unwrap_or_default();
    items.iter().filter_map(|item| document.text(*item)).map(str::to_owned).collect()
}

fn items<'d>(document: &'d Document, id: NodeId, way: &[&str]) -> &'d [NodeId] {
    document.at(id, way).map(|items| document.items(items)).unwrap_or_default()
}

fn http_route(document: &Document, resource: &Resource, files: &[File], found: &mut Vec<Route>) {
    let root = resource.root;
    let parents = items(document, root, &["spec", "parentRefs"]);
    let is_gateway = |parent: &&NodeId| document.text_at(**parent, &["kind"]).is_none_or(|kind| kind == "Gateway");
    let gateways: Vec<String> = parents
        .iter()
        .filter(is_gateway)
        .filter_map(|parent| document.text_at(*parent, &["name"]))
        .map(str::to_owned)
        .collect();
    let mut hosts = texts(document, root, &["spec", "hostnames"]);
    if hosts.is_empty() {
        hosts = hosts_of_gateways(&gateways, files);
    }
    for rule in items(document, root, &["spec", "rules"]) {
        let matches = items(document, *rule, &["matches"]);
        let every = [None];
        let matches: Vec<Option<NodeId>> = matches.iter().copied().map(Some).collect();
        for one in if matches.is_empty() { every.as_slice() } else { &matches } {
            let text = |way: &[&str]| one.and_then(|one| document.text_at(one, way));
            let kind = text(&["path", "type"]).unwrap_or("PathPrefix");
            let path = text(&["path", "value"]).unwrap_or("/");
            let method = text(&["method"]).map(str::to_owned);
            found.push(Route {
                resource: resource.title.clone(),
                hosts: hosts.clone(),
                words: words(&format!("{kind} {path}"), method.as_deref()),
                matcher: match kind {
                    "Exact" => "exact",
                    "RegularExpression" => "regex",
                    _ => "prefix",
                },
                path: path.to_owned(),
                method,
                gateways: gateways.clone(),
            });
        }
    }
}

/// The hosts of the listeners of some Gateways; none if one of them is for every host.
fn hosts_of_gateways(gateways: &[String], files: &[File]) -> Vec<String> {
    let mut hosts = Vec::new();
    for document in files.iter().flat_map(|file| &file.documents) {
        let Some(root) = document.root() else { continue };
        for resource in resources(document, root) {
            if resource.kind != "Gateway" || !gateways.contains(&resource.name) {
                continue;
            }
            for listener in items(document, resource.root, &["spec", "listeners"]) {
                match document.text_at(*listener, &["hostname"]) {
                    Some(host) => hosts.push(host.to_owned()),
                    None => return Vec::new(),
                }
            }
        }
    }
    hosts
}

fn virtual_service(document: &Document, resource: &Resource, found: &mut Vec<Route>) {
    let root = resource.root;
    let hosts = texts(document, root, &["spec", "hosts"]);
    let hosts = if hosts.iter().any(|host| host == "*") { Vec::new() } else { hosts };
    for rule in items(document, root, &["spec", "http"]) {
        let matches: Vec<Option<NodeId>> = items(document, *rule, &["match"]).iter().copied().map(Some).collect();
        let every = [None];
        for one in if matches.is_empty() { every.as_slice() } else { &matches } {
            let text = |way: &[&str]| one.and_then(|one| document.text_at(one, way));
            let known = ["exact", "prefix", "regex"].into_iter().find_map(|kind| Some((kind, text(&["uri", kind])?)));
            let (kind, path) = known.unwrap_or(("prefix", "/"));
            let method = text(&["method", "exact"]).map(str::to_owned);
            found.push(Route {
                resource: resource.title.clone(),
                hosts: hosts.clone(),
                words: words(&format!("{kind} {path}"), method.as_deref()),
                matcher: kind,
                path: path.to_owned(),
                method,
                gateways: Vec::new(),
            });
        }
    }
}

fn words(path: &str, method: Option<&str>) -> String {
    method.map_or_else(|| path.to_owned(), |method| format!("{method} {path}"))
}
