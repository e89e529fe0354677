//! Hashes of `secret`, written by `htpasswd` (`-s`, `-m`, `-B -C 4`), `openssl passwd` and `mkpasswd`.

#![allow(dead_code, reason = "each test takes those that it needs")]

pub const SHA: &str = "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=";
pub const APR1: &str = "$apr1$IEG2.gcn$JGPAXLVs55p5.sY5fJn7T1";
pub const BCRYPT4: &str = "$2y$04$cAPdWdlKznuF6im3kWZ8kOTUu7VUF.svXvZywLDVNV4hSdZL4KLkG";
pub const BCRYPT5: &str = "$2y$05$yiF36nfyIeE/Hw77MgRzuu8xLGzToFvykEzpMWh7K2fwJJikSFsDO";
pub const SHA256: &str = "$5$el.TM0U1EvJG5boj$r4FV6OfOF55LlxOn03ql7tuix7dp7CHQAolxAe/7om4";
pub const SHA512: &str =
    "$6$wMSJ2GhkTbJioSFl$.sfsjEJWUwH9YA10/7TFwqOpnVUDO9.Cqy3Rxnl3diI.Zdf8BykUl9SwA786Z0RZpOxaCmBaE3u6QZig9RIgW/";

/// Of `other`.
pub const OTHER_BCRYPT4: &str = "$2y$04$7xUmAB.Wm.lCjzARbX.z/.VoM8txlpw8ShrHbSeiCSEIsKcSZSbmG";
