"""Weights of the terms of a verdict, in log-odds: for ours, forwarded, spoofing (term.WHOSE).

Written by `python -m benchmarks.fit --worlds 110 --first-seed 1` on 2026-11-28; not by hand.
57,720 sources in 110 worlds of benchmarks/worlds. Log-loss 0.0374 on the worlds that were
fitted, 0.0364 on the 22 that were kept back.
"""

from __future__ import annotations

TEMPERATURE = 0.8

PRIOR = (-1.47, 1.05, 0.42)

WEIGHTS = {
    "aligned_now": (1.00, 0.01, -1.01),
    "not_aligned_now": (-1.75, 0.39, 1.37),
    "spf_aligned": (1.35, -1.18, -0.17),
    "some_aligned": (0.47, -0.17, -0.30),
    "aligned_before": (0.23, 0.10, -0.32),
    "own_key_at_home": (0.60, 0.11, -0.71),
    "others_keys": (-1.42, 1.65, -0.23),
    "some_others_keys": (-0.03, 0.81, -0.78),
    "kept_return_path": (-1.82, 1.44, 0.38),
    "several_senders": (-1.90, 0.97, -0.00),
    "redirected": (-0.74, 0.06, 0.68),
    "second_home": (-0.65, 0.27, -0.00),
    "sent_again": (-2.00, 0.15, -0.13),
    "rewritten": (-0.00, 0.00, -0.97),
    "several_paths": (-1.57, 1.49, 0.08),
    "reporters_say_forwarded": (-2.04, 2.97, -0.93),
    "list_return_path": (-1.99, 2.32, -0.33),
    "service_return_path": (1.89, -0.73, -1.16),
    "altered_on_the_way": (-1.11, 0.25, 0.85),
    "broken_signature": (1.19, -0.49, -0.70),
    "invented_key": (-0.00, 0.71, 0.00),
    "invented_key_at_service": (1.31, 0.03, -1.34),
    "service_own_name": (0.05, -1.10, 1.15),
    "other_own_name": (-0.75, 0.84, -0.09),
    "mailbox_own_name": (-0.29, 0.97, -0.69),
    "tenant_own_name": (-0.43, 0.03, 0.40),
    "tenant_own_key": (0.63, -0.64, 0.01),
    "nothing_authenticates": (-0.13, -0.31, 0.43),
    "nothing_authenticates_elsewhere": (0.12, -0.37, 0.26),
    "our_return_path": (-0.25, -0.03, 0.28),
    "invented_return_path": (-0.00, -0.66, 0.00),
    "invented_name": (0.01, -0.14, 0.13),
    "dns_points_here": (1.01, -0.82, -0.19),
    "dns_names_service": (0.20, -0.10, -0.18),
    "dns_names_others": (-0.39, 1.06, -0.67),
    "own_host": (2.10, -0.64, -1.46),
    "lying_host": (0.15, -0.42, 0.28),
    "named_host": (-0.18, 1.58, -1.40),
    "host_network": (-0.01, -0.58, 0.58),
    "access_network": (0.51, -0.67, 0.16),
    "service_network": (0.54, -0.70, 0.16),
    "mailbox_network": (0.69, 1.34, -2.04),
    "forwarding_network": (-1.68, 1.75, -0.07),
    "campus_network": (-1.29, 2.41, -1.12),
    "few_messages": (-0.26, 0.05, 0.22),
    "much_mail": (2.97, -1.34, -1.63),
    "much_unaligned": (1.04, -0.47, -0.57),
    "more_than_sent": (0.00, -0.64, 1.79),
    "unlisted_network": (-0.89, -0.24, 1.13),
    "one_address": (1.10, 0.25, -1.35),
    "many_addresses": (-0.66, -1.00, 1.66),
    "several_voices": (1.76, -2.07, 0.31),
    "lone_voice": (-1.40, -0.27, 1.67),
    "short_burst": (-0.13, -0.12, 0.25),
    "steady": (-0.78, 0.05, -0.00),
    "steady_service": (0.74, 0.03, -0.77),
    "one_day": (0.44, -0.75, 0.30),
    "office_hours": (0.17, 0.72, -0.89),
    "month_ends": (0.88, -0.12, -0.76),
    "many_alike": (-0.05, -0.68, 0.73),
    "began_together": (-1.40, -0.82, 2.22),
    "domain_sends_nothing": (-0.51, 0.34, 0.17),
    "mine_elsewhere": (0.30, -0.08, -0.21),
    "served_elsewhere": (-0.06, -0.50, -0.00),
}
