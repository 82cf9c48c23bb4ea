"""Weights of the terms of a verdict, in log-odds: for ours, forwarded, spoofing (term.WHOSE).

Written by `python -m benchmarks.fit --worlds 93 --first-seed 1` on 2026-11-28; not by hand.
47,071 sources in 93 worlds of benchmarks/worlds. Log-loss 0.0403 on the worlds that were
fitted, 0.0367 on the 18 that were kept back.
"""

from __future__ import annotations

TEMPERATURE = 0.8

PRIOR = (-1.27, 0.89, 0.37)

WEIGHTS = {
    "aligned_now": (1.03, 0.30, -1.33),
    "not_aligned_now": (-1.57, 0.13, 1.44),
    "spf_aligned": (1.73, -1.30, -0.43),
    "some_aligned": (0.30, -0.11, -0.19),
    "aligned_before": (0.45, -0.25, -0.20),
    "own_key_at_home": (0.85, -0.12, -0.74),
    "others_keys": (-1.73, 1.91, -0.18),
    "some_others_keys": (-0.11, 0.82, -0.70),
    "kept_return_path": (-1.85, 1.56, 0.29),
    "several_senders": (-1.72, 0.98, -0.00),
    "redirected": (-0.45, 0.00, 0.55),
    "second_home": (-0.34, 0.04, -0.00),
    "sent_again": (-2.00, 0.12, -0.11),
    "rewritten": (0.87, 0.00, -0.84),
    "several_paths": (-0.91, 0.96, -0.05),
    "reporters_say_forwarded": (-2.22, 3.09, -0.87),
    "list_return_path": (-2.05, 2.37, -0.32),
    "service_return_path": (1.87, -0.54, -1.33),
    "altered_on_the_way": (-1.26, 0.28, 0.98),
    "broken_signature": (0.76, -0.17, -0.58),
    "invented_key": (-0.00, 0.91, 0.00),
    "invented_key_at_service": (1.35, -0.04, -1.31),
    "service_own_name": (0.10, -1.22, 1.12),
    "other_own_name": (-0.80, 0.89, -0.08),
    "mailbox_own_name": (-0.19, 0.84, -0.65),
    "tenant_own_name": (-0.54, 0.28, 0.25),
    "tenant_own_key": (0.67, -0.63, -0.04),
    "nothing_authenticates": (-0.26, -0.44, 0.70),
    "nothing_authenticates_elsewhere": (0.14, -0.44, 0.35),
    "our_return_path": (-0.05, 0.08, 0.00),
    "invented_return_path": (1.14, -0.44, 0.00),
    "invented_name": (-0.12, 0.03, 0.09),
    "dns_points_here": (0.93, -0.76, -0.17),
    "dns_names_service": (0.30, -0.42, -0.07),
    "dns_names_others": (-0.48, 1.09, -0.63),
    "own_host": (1.74, -0.66, -1.08),
    "lying_host": (0.17, -0.35, 0.21),
    "named_host": (-0.10, 1.51, -1.41),
    "host_network": (-0.20, -0.58, 0.78),
    "access_network": (0.48, -0.75, 0.27),
    "service_network": (0.57, -0.71, 0.14),
    "mailbox_network": (0.67, 1.40, -2.07),
    "forwarding_network": (-1.78, 1.88, -0.10),
    "campus_network": (-1.35, 2.40, -1.04),
    "few_messages": (-0.59, 0.04, 0.55),
    "much_mail": (2.85, -1.35, -1.50),
    "much_unaligned": (1.16, -0.56, -0.60),
    "more_than_sent": (0.00, -0.31, 2.00),
    "unlisted_network": (-0.90, -0.33, 1.23),
    "one_address": (1.18, 0.16, -1.34),
    "many_addresses": (-0.54, -0.93, 1.47),
    "several_voices": (1.67, -1.65, -0.02),
    "lone_voice": (-1.16, -0.40, 1.56),
    "short_burst": (-0.60, -0.34, 0.93),
    "steady": (-0.93, -0.16, -0.00),
    "steady_service": (0.63, 0.05, -0.68),
    "one_day": (0.20, -0.53, 0.32),
    "office_hours": (0.04, 1.04, -1.08),
    "month_ends": (0.74, -0.11, -0.63),
    "many_alike": (-0.11, -0.98, 1.09),
    "began_together": (0.00, 0.00, 0.00),
    "domain_sends_nothing": (-0.31, 0.10, 0.22),
    "mine_elsewhere": (0.28, -0.06, -0.22),
    "served_elsewhere": (-0.31, -0.48, -0.00),
}
