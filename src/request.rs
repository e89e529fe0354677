//! What a decision looks at in a request, borrowed and in bytes: no header has to be UTF-8.

/// The facts of one request.
#[derive(Clone)]
pub struct Request<'a> {
    /// `:method`
    pub method: &'a [u8],
    /// `:path` with the query as it was sent; `CONNECT` has none.
    pub path: Option<&'a [u8]>,
    /// `:authority`, which is `host` in HTTP/1.
    pub authority: Option<&'a [u8]>,
    /// The values of the credential header, one for each header line. They are secrets: a request has no `Debug`.
    pub authorization: Vec<&'a [u8]>,
}
