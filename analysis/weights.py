"""Weights of the terms of a verdict, in log-odds: for ours, forwarded, spoofing (term.WHOSE).

Written by `python -m benchmarks.fit --worlds 100 --first-seed 1` on 2026-11-24; not by hand.
48,836 sources in 100 worlds of benchmarks/worlds. Log-loss 0.0426 on the worlds that were
fitted, 0.0444 on the 20 that were kept back.
"""

from __future__ import annotations

TEMPERATURE = 0.8

PRIOR = (-2.00, 1.45, 0.55)

WEIGHTS = {
    "aligned_now": (1.03, 0.40, -1.43),
    "not_aligned_now": (-1.76, 0.32, 1.45),
    "spf_aligned": (2.02, -1.75, -0.26),
    "some_aligned": (0.35, -0.22, -0.12),
    "aligned_before": (0.53, -0.28, -0.25),
    "own_key_at_home": (1.46, -0.22, -1.24),
    "others_keys": (-0.70, 1.04, -0.34),
    "some_others_keys": (-0.00, 0.35, -1.26),
    "kept_return_path": (-1.68, 1.57, 0.11),
    "several_senders": (-2.28, 1.34, -0.00),
    "redirected": (-0.85, 0.16, 0.68),
    "second_home": (-0.67, 0.39, -0.00),
    "sent_again": (-2.00, 0.17, -0.16),
    "rewritten": (0.30, 0.42, -0.72),
    "several_paths": (-1.38, 1.34, 0.03),
    "reporters_say_forwarded": (-1.86, 3.69, -1.83),
    "list_return_path": (-2.20, 2.29, -0.09),
    "service_return_path": (1.84, -0.85, -1.00),
    "altered_on_the_way": (-1.18, 0.62, 0.56),
    "broken_signature": (0.96, -0.25, -0.72),
    "invented_key": (-0.00, 0.95, 0.00),
    "invented_key_at_service": (1.19, -0.34, -0.85),
    "service_own_name": (0.51, -0.50, -0.01),
    "other_own_name": (-0.81, 0.58, 0.23),
    "mailbox_own_name": (-0.10, 0.34, -0.24),
    "tenant_own_name": (-0.38, 0.32, 0.05),
    "tenant_own_key": (0.50, -0.70, 0.20),
    "nothing_authenticates": (-0.00, -0.74, 0.43),
    "nothing_authenticates_elsewhere": (-0.50, -0.72, 1.22),
    "our_return_path": (-0.05, 0.13, 0.00),
    "invented_return_path": (1.16, -0.60, 0.00),
    "invented_name": (-0.35, 0.08, 0.27),
    "dns_points_here": (0.00, 0.00, 0.00),
    "dns_names_service": (0.00, 0.00, 0.00),
    "dns_names_others": (0.00, 0.00, 0.00),
    "own_host": (1.97, -0.71, -1.26),
    "lying_host": (0.22, -0.45, 0.23),
    "named_host": (-0.41, 1.39, -0.98),
    "host_network": (-0.31, -0.11, 0.42),
    "access_network": (0.45, -0.45, 0.01),
    "service_network": (0.40, -0.90, 0.50),
    "mailbox_network": (1.29, 1.83, -3.11),
    "forwarding_network": (-2.32, 2.37, -0.04),
    "campus_network": (-1.10, 2.69, -1.59),
    "few_messages": (-0.45, -0.10, 0.55),
    "much_mail": (2.44, -1.57, -0.87),
    "much_unaligned": (1.17, -0.46, -0.71),
    "one_address": (0.94, 0.23, -1.17),
    "many_addresses": (-1.04, -0.86, 1.89),
    "several_voices": (2.19, -2.42, 0.23),
    "lone_voice": (-1.08, -0.53, 1.61),
    "short_burst": (-1.04, -0.21, 1.25),
    "steady": (-0.25, -0.15, -0.00),
    "steady_service": (-0.04, 0.03, -0.03),
    "one_day": (0.42, -0.87, 0.45),
    "office_hours": (0.29, 0.71, -1.00),
    "month_ends": (1.22, -0.11, -1.11),
    "many_alike": (0.17, -1.19, 1.02),
    "domain_sends_nothing": (-0.63, -0.16, 0.79),
    "mine_elsewhere": (-0.08, -0.32, -0.00),
    "served_elsewhere": (0.48, -0.83, -0.00),
}
