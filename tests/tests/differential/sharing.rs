//! Shared data, queues and metrics.

use inproxy_test::Request;
use inproxy_tests::Probe;

use crate::case::{Step::*, cases};

cases! {
    data_is_shared: Probe,
        |proxy| proxy.configure_text(r"
            request_headers: get_shared absent
            request_headers: set_shared k v 0
            request_headers: get_shared k
            request_headers: set_shared k w 999
            request_headers: set_shared k w $last
            request_headers: get_shared k
            request_headers: set_shared new v 77
            request_headers: set_shared new v 77
            request_headers: set_shared empty - 0
            request_headers: get_shared empty
            request_headers: set_shared - v 0
            request_headers: get_shared -
        "),
        [Send(Request::get("/")), Send(Request::get("/"))];

    data_outlives_streams_and_has_no_stream: Probe,
        |proxy| proxy.configure_text("configure: set_tick_period 30\ntick: get_shared k\ntick: set_tick_period 0\nrequest_headers: set_shared k v 0\ndelete: get_shared k"),
        [Wait(60), Send(Request::get("/"))];

    queues_hold_messages: Probe,
        |proxy| proxy.configure_text(r"
            request_headers: register_queue mine
            request_headers: register_queue mine
            request_headers: dequeue $last
            request_headers: enqueue $last one
            request_headers: enqueue $last two
            request_headers: enqueue $last -
            request_headers: dequeue $last
            request_headers: dequeue 999
            request_headers: enqueue 999 x
            queue_ready: dequeue $last
        "),
        [Send(Request::get("/")), Wait(30)];

    queues_are_found_by_name: Probe,
        |proxy| proxy.vm_id("vm").configure_text(r"
            request_headers: resolve_queue - absent
            request_headers: register_queue mine
            request_headers: resolve_queue - mine
            request_headers: resolve_queue vm mine
            request_headers: resolve_queue other mine
        "),
        [Send(Request::get("/"))];

    metrics_count: Probe,
        |proxy| proxy.configure_text(r"
            request_headers: define_metric 0 diff.counter
            request_headers: increment_metric $last 2
            request_headers: increment_metric $last 0
            request_headers: increment_metric $last -1
            request_headers: record_metric $last 5
            request_headers: get_metric $last
            request_headers: define_metric 1 diff.gauge
            request_headers: record_metric $last 5
            request_headers: increment_metric $last -2
            request_headers: get_metric $last
            request_headers: increment_metric $last -4
            request_headers: get_metric $last
            request_headers: define_metric 2 diff.histogram
            request_headers: record_metric $last 5
            request_headers: increment_metric $last 1
            request_headers: get_metric $last
        "),
        [Send(Request::get("/"))];

    metrics_that_are_none: Probe,
        |proxy| proxy.configure_text(r"
            request_headers: define_metric 3 diff.none
            request_headers: get_metric 40
            request_headers: get_metric 41
            request_headers: get_metric 42
            request_headers: get_metric 43
            request_headers: record_metric 40 1
            request_headers: record_metric 42 1
            request_headers: record_metric 43 1
            request_headers: increment_metric 40 1
            request_headers: increment_metric 42 1
            request_headers: increment_metric 43 1
            request_headers: define_metric 0 -
        "),
        [Send(Request::get("/"))];

    a_metric_is_defined_again: Probe,
        |proxy| proxy.configure_text(r"
            request_headers: define_metric 0 diff.again
            request_headers: increment_metric $last 1
            request_headers: define_metric 0 diff.again
            request_headers: get_metric $last
        "),
        [Send(Request::get("/"))];

    it_ticks: Probe,
        |proxy| proxy.configure_text(r"
            configure: set_tick_period 30
            tick: get_header 0 :path
            tick: get_buffer 0 0 9
            tick: get_property plugin_root_id
            tick: get_time
        "),
        [Wait(120), Send(Request::get("/"))];

    it_logs_at_every_level: Probe,
        |proxy| proxy.configure_text(r"
            request_headers: log 0 trace
            request_headers: log 1 debug
            request_headers: log 2 info
            request_headers: log 3 warn
            request_headers: log 4 error
            request_headers: log 5 critical
            request_headers: log 6 none
            request_headers: log 2 -
            request_headers: get_log_level
        "),
        [Send(Request::get("/"))];
}
