"""Weights of the terms of a verdict, in log-odds: for ours, forwarded, spoofing (term.WHOSE).

Written by `python -m benchmarks.fit --worlds 93 --first-seed 1` on 2026-11-28; not by hand.
47,071 sources in 93 worlds of benchmarks/worlds. Log-loss 0.0403 on the worlds that were
fitted, 0.0368 on the 18 that were kept back.
"""

from __future__ import annotations

TEMPERATURE = 0.8

PRIOR = (-1.41, 1.03, 0.38)

WEIGHTS = {
    "aligned_now": (1.01, 0.28, -1.28),
    "not_aligned_now": (-1.64, 0.19, 1.45),
    "spf_aligned": (1.82, -1.42, -0.41),
    "some_aligned": (0.34, -0.13, -0.21),
    "aligned_before": (0.45, -0.28, -0.17),
    "own_key_at_home": (0.86, -0.15, -0.70),
    "others_keys": (-1.79, 1.95, -0.16),
    "some_others_keys": (-0.00, 0.78, -0.78),
    "kept_return_path": (-1.82, 1.62, 0.20),
    "several_senders": (-1.91, 0.97, -0.00),
    "redirected": (-0.47, 0.00, 0.67),
    "second_home": (-0.35, 0.00, -0.00),
    "sent_again": (-2.00, 0.13, -0.13),
    "rewritten": (0.90, 0.00, -0.90),
    "several_paths": (-0.98, 1.02, -0.04),
    "reporters_say_forwarded": (-2.29, 3.16, -0.86),
    "list_return_path": (-2.06, 2.36, -0.30),
    "service_return_path": (1.86, -0.58, -1.28),
    "altered_on_the_way": (-1.35, 0.28, 1.07),
    "broken_signature": (0.87, -0.19, -0.69),
    "invented_key": (-0.00, 0.94, 0.00),
    "invented_key_at_service": (1.38, -0.05, -1.34),
    "service_own_name": (0.15, -1.24, 1.09),
    "other_own_name": (-0.82, 0.87, -0.05),
    "mailbox_own_name": (-0.19, 0.86, -0.67),
    "tenant_own_name": (-0.49, 0.27, 0.21),
    "tenant_own_key": (0.70, -0.72, 0.02),
    "nothing_authenticates": (-0.29, -0.46, 0.74),
    "nothing_authenticates_elsewhere": (0.09, -0.46, 0.41),
    "our_return_path": (0.07, 0.16, 0.00),
    "invented_return_path": (1.27, -0.45, 0.00),
    "invented_name": (-0.14, 0.03, 0.11),
    "dns_points_here": (0.93, -0.79, -0.14),
    "dns_names_service": (0.41, -0.46, -0.09),
    "dns_names_others": (-0.49, 1.11, -0.63),
    "own_host": (1.82, -0.71, -1.11),
    "lying_host": (0.20, -0.39, 0.21),
    "named_host": (-0.12, 1.56, -1.44),
    "host_network": (-0.17, -0.56, 0.73),
    "access_network": (0.48, -0.76, 0.28),
    "service_network": (0.55, -0.65, 0.09),
    "mailbox_network": (0.73, 1.35, -2.08),
    "forwarding_network": (-1.81, 1.89, -0.08),
    "campus_network": (-1.40, 2.51, -1.11),
    "few_messages": (-0.54, 0.04, 0.50),
    "much_mail": (2.93, -1.42, -1.51),
    "much_unaligned": (1.20, -0.62, -0.58),
    "more_than_sent": (-0.67, -0.70, 1.37),
    "unlisted_network": (-1.01, -0.23, 1.24),
    "one_address": (1.21, 0.17, -1.37),
    "many_addresses": (-0.43, -1.06, 1.48),
    "several_voices": (1.73, -1.81, 0.08),
    "lone_voice": (-1.20, -0.53, 1.73),
    "short_burst": (-0.69, -0.28, 0.97),
    "steady": (-0.97, -0.17, -0.00),
    "steady_service": (0.70, 0.02, -0.72),
    "one_day": (0.32, -0.68, 0.35),
    "office_hours": (0.08, 0.98, -1.06),
    "month_ends": (0.76, -0.12, -0.65),
    "many_alike": (-0.09, -0.99, 1.08),
    "domain_sends_nothing": (-0.33, 0.08, 0.25),
    "mine_elsewhere": (0.32, -0.07, -0.25),
    "served_elsewhere": (-0.34, -0.56, -0.00),
}
