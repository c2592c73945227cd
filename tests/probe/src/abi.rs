//! The imports, and how their results come back.

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    pub(crate) fn proxy_log(level: u32, p: *const u8, n: usize) -> u32;
    pub(crate) fn proxy_get_log_level(to: *mut u32) -> u32;
    pub(crate) fn proxy_get_current_time_nanoseconds(to: *mut u64) -> u32;
    pub(crate) fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    pub(crate) fn proxy_get_buffer_bytes(buffer: u32, start: u32, max: u32, p: *mut *mut u8, n: *mut usize) -> u32;
    pub(crate) fn proxy_get_buffer_status(buffer: u32, size: *mut u32, flags: *mut u32) -> u32;
    pub(crate) fn proxy_set_buffer_bytes(buffer: u32, start: u32, size: u32, p: *const u8, n: usize) -> u32;
    pub(crate) fn proxy_get_header_map_size(map: u32, size: *mut u32) -> u32;
    pub(crate) fn proxy_get_header_map_pairs(map: u32, p: *mut *mut u8, n: *mut usize) -> u32;
    pub(crate) fn proxy_set_header_map_pairs(map: u32, p: *const u8, n: usize) -> u32;
    pub(crate) fn proxy_get_header_map_value(map: u32, k: *const u8, kn: usize, p: *mut *mut u8, n: *mut usize) -> u32;
    pub(crate) fn proxy_add_header_map_value(map: u32, k: *const u8, kn: usize, v: *const u8, vn: usize) -> u32;
    pub(crate) fn proxy_replace_header_map_value(map: u32, k: *const u8, kn: usize, v: *const u8, vn: usize) -> u32;
    pub(crate) fn proxy_remove_header_map_value(map: u32, k: *const u8, kn: usize) -> u32;
    pub(crate) fn proxy_get_property(path: *const u8, path_n: usize, p: *mut *mut u8, n: *mut usize) -> u32;
    pub(crate) fn proxy_set_property(path: *const u8, path_n: usize, p: *const u8, n: usize) -> u32;
    pub(crate) fn proxy_get_shared_data(k: *const u8, kn: usize, p: *mut *mut u8, n: *mut usize, cas: *mut u32) -> u32;
    pub(crate) fn proxy_set_shared_data(k: *const u8, kn: usize, v: *const u8, vn: usize, cas: u32) -> u32;
    pub(crate) fn proxy_register_shared_queue(name: *const u8, n: usize, id: *mut u32) -> u32;
    pub(crate) fn proxy_resolve_shared_queue(vm: *const u8, vm_n: usize, name: *const u8, n: usize, id: *mut u32) -> u32;
    pub(crate) fn proxy_dequeue_shared_queue(id: u32, p: *mut *mut u8, n: *mut usize) -> u32;
    pub(crate) fn proxy_enqueue_shared_queue(id: u32, p: *const u8, n: usize) -> u32;
    pub(crate) fn proxy_continue_stream(stream: u32) -> u32;
    pub(crate) fn proxy_close_stream(stream: u32) -> u32;
    pub(crate) fn proxy_send_local_response(status: u32, d: *const u8, dn: usize, b: *const u8, bn: usize, h: *const u8, hn: usize, grpc: i32)
    -> u32;
    pub(crate) fn proxy_http_call(
        upstream: *const u8,
        upstream_n: usize,
        h: *const u8,
        hn: usize,
        b: *const u8,
        bn: usize,
        t: *const u8,
        tn: usize,
        timeout: u32,
        token: *mut u32,
    ) -> u32;
    pub(crate) fn proxy_grpc_call(
        upstream: *const u8,
        upstream_n: usize,
        s: *const u8,
        sn: usize,
        m: *const u8,
        mn: usize,
        md: *const u8,
        mdn: usize,
        b: *const u8,
        bn: usize,
        timeout: u32,
        token: *mut u32,
    ) -> u32;
    pub(crate) fn proxy_grpc_stream(
        upstream: *const u8,
        upstream_n: usize,
        s: *const u8,
        sn: usize,
        m: *const u8,
        mn: usize,
        md: *const u8,
        mdn: usize,
        token: *mut u32,
    ) -> u32;
    pub(crate) fn proxy_grpc_send(token: u32, p: *const u8, n: usize, end: u32) -> u32;
    pub(crate) fn proxy_grpc_cancel(token: u32) -> u32;
    pub(crate) fn proxy_grpc_close(token: u32) -> u32;
    pub(crate) fn proxy_get_status(code: *mut u32, p: *mut *mut u8, n: *mut usize) -> u32;
    pub(crate) fn proxy_set_effective_context(context: u32) -> u32;
    pub(crate) fn proxy_done() -> u32;
    pub(crate) fn proxy_call_foreign_function(f: *const u8, fn_: usize, a: *const u8, an: usize, p: *mut *mut u8, n: *mut usize) -> u32;
    pub(crate) fn proxy_define_metric(kind: u32, name: *const u8, n: usize, id: *mut u32) -> u32;
    pub(crate) fn proxy_get_metric(id: u32, to: *mut u64) -> u32;
    pub(crate) fn proxy_record_metric(id: u32, value: u64) -> u32;
    pub(crate) fn proxy_increment_metric(id: u32, offset: i64) -> u32;
}

/// What a call gave back.
pub(crate) enum Given {
    Nothing,
    Number(u64),
    Bytes(Vec<u8>),
    Pairs(Vec<(Vec<u8>, Vec<u8>)>),
    /// Bytes with a number.
    Both(Vec<u8>, u64),
}

pub(crate) fn bytes(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> (u32, Given) {
    let (mut p, mut n) = (std::ptr::null_mut(), 0);
    let status = call(&mut p, &mut n);
    (status, if status == 0 { Given::Bytes(taken(p, n)) } else { Given::Nothing })
}

pub(crate) fn taken(p: *mut u8, n: usize) -> Vec<u8> {
    // SAFETY: the proxy had it allocated by `proxy_on_memory_allocate`, as a boxed slice of this length.
    if p.is_null() { Vec::new() } else { unsafe { Vec::from_raw_parts(p, n, n) } }
}

pub(crate) fn number(call: impl FnOnce(*mut u32) -> u32) -> (u32, Given) {
    let mut value = 0;
    let status = call(&mut value);
    (status, if status == 0 { Given::Number(value.into()) } else { Given::Nothing })
}

pub(crate) fn long(call: impl FnOnce(*mut u64) -> u32) -> (u32, Given) {
    let mut value = 0;
    let status = call(&mut value);
    (status, if status == 0 { Given::Number(value) } else { Given::Nothing })
}

/// `name=value` arguments, as the ABI has pairs.
pub(crate) fn encode(pairs: &[Vec<u8>]) -> Vec<u8> {
    let split = |pair: &Vec<u8>| {
        // The first `=` that is not part of a pseudo header's name.
        let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        (pair[..at].to_vec(), pair.get(at + 1..).unwrap_or_default().to_vec())
    };
    let pairs: Vec<_> = pairs.iter().map(split).collect();
    let mut out = (pairs.len() as u32).to_le_bytes().to_vec();
    for (name, value) in &pairs {
        out.extend((name.len() as u32).to_le_bytes());
        out.extend((value.len() as u32).to_le_bytes());
    }
    for (name, value) in pairs {
        out.extend(name);
        out.push(0);
        out.extend(value);
        out.push(0);
    }
    out
}

pub(crate) fn decode(bytes: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let word = |at: usize| bytes.get(at..at + 4).map_or(0, |word| u32::from_le_bytes(word.try_into().unwrap()) as usize);
    let count = word(0);
    let mut at = 4 + 8 * count;
    let mut pairs = Vec::new();
    for index in 0..count {
        let (name, value) = (word(4 + 8 * index), word(8 + 8 * index));
        let part = |from: usize, size: usize| bytes.get(from..from + size).unwrap_or(b"(malformed)").to_vec();
        pairs.push((part(at, name), part(at + name + 1, value)));
        at += name + value + 2;
    }
    pairs
}
