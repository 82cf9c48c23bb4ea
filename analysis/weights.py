"""Weights of the terms of a verdict, in log-odds: for ours, forwarded, spoofing (term.WHOSE).

Written by `python -m benchmarks.fit --worlds 110 --first-seed 1` on 2026-11-28; not by hand.
57,720 sources in 110 worlds of benchmarks/worlds. Log-loss 0.0372 on the worlds that were
fitted, 0.0363 on the 22 that were kept back.
"""

from __future__ import annotations

TEMPERATURE = 0.8

PRIOR = (-1.51, 1.09, 0.43)

WEIGHTS = {
    "aligned_now": (0.89, 0.10, -0.99),
    "not_aligned_now": (-1.67, 0.32, 1.35),
    "spf_aligned": (1.43, -1.23, -0.20),
    "some_aligned": (0.38, -0.09, -0.29),
    "aligned_before": (0.17, 0.15, -0.32),
    "own_key_at_home": (0.74, -0.03, -0.72),
    "others_keys": (-1.54, 1.74, -0.20),
    "some_others_keys": (-0.08, 0.83, -0.75),
    "kept_return_path": (-1.80, 1.42, 0.37),
    "several_senders": (-1.94, 0.99, -0.00),
    "redirected": (-0.57, 0.01, 0.67),
    "second_home": (-0.47, 0.10, -0.00),
    "sent_again": (-2.00, 0.14, -0.13),
    "rewritten": (0.86, 0.05, -0.88),
    "several_paths": (-1.53, 1.45, 0.08),
    "reporters_say_forwarded": (-2.01, 2.94, -0.93),
    "list_return_path": (-2.01, 2.33, -0.33),
    "service_return_path": (1.89, -0.73, -1.16),
    "altered_on_the_way": (-1.11, 0.25, 0.86),
    "broken_signature": (1.17, -0.47, -0.70),
    "invented_key": (-0.00, 0.69, 0.00),
    "invented_key_at_service": (1.31, 0.02, -1.34),
    "service_own_name": (0.06, -1.11, 1.15),
    "other_own_name": (-0.74, 0.82, -0.09),
    "mailbox_own_name": (-0.31, 1.00, -0.69),
    "tenant_own_name": (-0.42, 0.01, 0.40),
    "tenant_own_key": (0.63, -0.64, 0.01),
    "nothing_authenticates": (-0.11, -0.32, 0.44),
    "nothing_authenticates_elsewhere": (0.12, -0.36, 0.26),
    "our_return_path": (-0.24, -0.04, 0.28),
    "invented_return_path": (-0.00, -0.66, 0.00),
    "invented_name": (0.01, -0.14, 0.13),
    "dns_points_here": (1.00, -0.80, -0.20),
    "dns_names_service": (0.16, -0.05, -0.19),
    "dns_names_others": (-0.40, 1.06, -0.67),
    "own_host": (2.14, -0.68, -1.46),
    "lying_host": (0.15, -0.42, 0.28),
    "named_host": (-0.20, 1.61, -1.40),
    "host_network": (-0.05, -0.54, 0.59),
    "access_network": (0.51, -0.67, 0.16),
    "service_network": (0.54, -0.70, 0.16),
    "mailbox_network": (0.71, 1.33, -2.04),
    "forwarding_network": (-1.69, 1.76, -0.07),
    "campus_network": (-1.31, 2.43, -1.11),
    "few_messages": (-0.22, 0.01, 0.22),
    "much_mail": (2.97, -1.34, -1.63),
    "much_unaligned": (1.06, -0.49, -0.57),
    "more_than_sent": (0.00, -0.62, 1.79),
    "unlisted_network": (-0.90, -0.23, 1.13),
    "one_address": (1.08, 0.27, -1.35),
    "many_addresses": (-0.65, -1.01, 1.66),
    "several_voices": (1.72, -2.03, 0.31),
    "lone_voice": (-1.36, -0.30, 1.66),
    "short_burst": (-0.11, -0.13, 0.24),
    "steady": (-0.77, 0.04, -0.00),
    "steady_service": (0.70, 0.06, -0.76),
    "one_day": (0.43, -0.74, 0.31),
    "office_hours": (0.18, 0.71, -0.89),
    "month_ends": (0.88, -0.13, -0.76),
    "many_alike": (-0.04, -0.69, 0.73),
    "began_together": (-1.40, -0.82, 2.22),
    "domain_sends_nothing": (-0.50, 0.32, 0.18),
    "mine_elsewhere": (0.30, -0.09, -0.22),
    "served_elsewhere": (-0.05, -0.50, -0.00),
}
