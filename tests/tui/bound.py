"""Where each action of the table is tried: the tests that press its key and look at what came of it."""

_FILES: dict[str, dict[str, tuple[str, ...]]] = {
    "screens/test_overview.py": {
        "test_capital_h_hides_the_steps_for_good_and_shows_them_again": ("guide",),
    },
    "screens/test_vm_acts.py": {
        "test_a_names_the_application_of_the_marked_vms": ("vm.name",),
        "test_m_ties_the_marked_vms_for_a_reason": ("vm.together",),
        "test_w_moves_a_vm_with_its_group_and_leaves_the_edit_to_waves": ("vm.wave",),
        "test_x_excludes_and_includes_again": ("vm.exclude",),
        "test_d_and_c_go_to_ties_and_findings_of_the_vm": (
            "vm.dependencies",
            "vm.checks",
        ),
        "test_pages_turn_and_each_says_its_part": (
            "vm.tab",
            "vm.tab.back",
        ),
    },
    "screens/test_checks.py": {
        "test_marked_findings_are_accepted_and_taken_back": (
            "checks.waive",
            "checks.unwaive",
        ),
        "test_tasks_before_a_wave_are_listed_and_ticked_off": ("checks.tasks",),
        "test_checks_are_run_again_by_a_key": ("checks.run",),
        "test_by_vm_and_only_a_part_of_it": (
            "checks.turn",
            "checks.blockers",
            "checks.undecided",
            "checks.waived",
        ),
        "test_filters_of_findings_are_saved_and_those_of_checks_say_why_not": ("filter.save",),
    },
    "screens/test_rehearse.py": {
        "test_two_hundred_runs_are_a_job_and_their_outcome_is_shown": ("rehearse.now",),
        "test_a_fault_is_injected_and_what_came_of_it_stays": (
            "rehearse.fault",
            "rehearse.history",
        ),
        "test_runs_and_seed_are_asked_for": ("rehearse.ask",),
        "test_a_dry_run_at_the_sites_lists_findings_ways_and_calls": ("rehearse.dry",),
        "test_a_copy_boots_of_a_checkpoint_that_is_chosen_of_each_group": ("rehearse.boot",),
        "test_a_run_is_played_paused_and_scrubbed": (
            "rehearse.play",
            "rehearse.earlier",
            "rehearse.later",
            "rehearse.faster",
            "rehearse.slower",
            "rehearse.whole",
        ),
    },
    "screens/test_cutover.py": {
        "test_a_yes_wants_ticket_and_name_and_is_one_of_two": ("cutover.approve",),
        "test_wait_no_and_taking_it_back_are_words_with_reasons": (
            "cutover.hold",
            "cutover.refuse",
            "cutover.release",
        ),
        "test_a_failed_step_is_tried_again_or_passed_over_with_a_reason": (
            "cutover.retry",
            "cutover.skip",
        ),
        "test_a_probe_is_asked_beside_the_run_and_its_record_stays": ("cutover.ask",),
        "test_a_run_is_held_and_goes_on": ("cutover.pause", "cutover.resume"),
        "test_cutover_is_ordered_with_its_ticket": ("cutover.go",),
        "test_rolling_back_says_what_is_lost_and_is_ordered": ("cutover.back",),
        "test_commit_says_that_there_is_no_return": ("cutover.commit",),
        "test_another_wave_or_an_earlier_run_is_chosen": ("cutover.wave", "cutover.here"),
        "test_a_run_is_scrubbed_entry_by_entry_and_says_that_it_is_a_replay": (
            "cutover.replay",
            "cutover.earlier",
            "cutover.later",
            "cutover.step_back",
            "cutover.step_on",
            "cutover.gate_back",
            "cutover.gate_on",
            "cutover.jump",
        ),
    },
    "screens/test_journal.py": {
        "test_an_act_of_no_run_is_not_replayed": ("journal.replay",),
        "test_only_this_wave_and_person_are_one_key_each": ("journal.wave", "journal.who"),
        "test_what_is_newer_waits_while_somebody_reads_and_comes_to_the_top": ("journal.newest",),
        "test_the_chain_is_checked_and_a_break_is_said": ("journal.verify",),
    },
    "screens/test_group.py": {
        "test_what_a_receiver_keeps_is_listed_pinned_served_and_written_out": (
            "group.pin",
            "group.restore",
            "group.checkpoint",
        ),
        "test_disks_are_served_beside_everything_else_until_they_are_not": ("group.serve",),
        "test_snapshots_of_others_are_asked_for_at_the_site": ("group.overlook", "replicate.overlook"),
        "test_a_copy_of_a_checkpoint_boots_and_is_noted_beside_it": ("group.boot",),
        "test_a_committed_wave_is_said_what_its_way_home_takes_and_sent_there": ("group.back",),
        "test_what_cannot_be_done_says_why": ("group.commit",),
        "test_verify_asks_first": ("group.verify",),
        "test_a_device_is_looked_at_before_its_path_is_typed_and_it_is_written_over": ("group.onto",),
    },
    "screens/test_engine_lever.py": {"test_it_is_started_once_and_said": ("engine.start",)},
    "screens/test_replicate.py": {
        "test_d_draws_where_the_disks_of_a_vm_change": ("replicate.map",),
        "test_pause_asks_and_is_in_the_store": ("replicate.pause",),
        "test_resume_wants_the_name_and_places_the_order_of_its_verb": ("replicate.resume",),
        "test_sync_now_begins_and_refuses_as_its_verb": ("replicate.sync",),
        "test_a_checkpoint_gets_its_name_and_a_verify_says_what_differs": (
            "replicate.checkpoint",
            "replicate.verify",
        ),
        "test_the_limit_of_all_transfers_is_a_setting_that_counts_at_once": ("replicate.throttle",),
        "test_lanes_are_folded_and_sifted": (
            "replicate.problems",
            "replicate.fold",
            "replicate.unfold",
            "replicate.fold_all",
        ),
    },
    "screens/test_dependencies.py": {
        "test_one_walks_along_edges_and_back": ("deps.return",),
        "test_all_ties_are_filtered_sorted_and_chosen_by_waves": (
            "deps.ties",
            "deps.crossing",
        ),
        "test_hubs_are_confirmed_denied_and_opened_again": (
            "deps.hubs",
            "deps.accept",
        ),
        "test_a_cut_is_taken_only_when_it_was_typed": ("deps.oversized",),
        "test_a_circle_is_opened_by_its_cheapest_tie": ("deps.cycles",),
        "test_suggestions_are_dismissed_or_taken_under_another_name": ("deps.suggestions",),
        "test_enter_on_a_tie_inside_tells_the_reasons": ("deps.why",),
        "test_ties_are_refused_for_a_reason_accepted_and_taken_back": (
            "deps.refuse",
            "deps.forget",
        ),
        "test_a_tie_is_added_by_hand": ("deps.add",),
        "test_the_application_of_a_group_is_named": ("deps.name",),
        "test_a_tie_across_waves_is_mended_by_a_move": ("deps.mend",),
        "test_the_graph_is_written_by_a_job": ("deps.export",),
    },
    "screens/test_dependencies_filters.py": {
        "test_names_of_imports_are_settled_and_opened_again": ("deps.names",),
    },
    "screens/test_waves_by_hand.py": {
        "test_a_refused_move_names_the_rule_and_a_fix_is_a_key": (
            "waves.earlier",
            "waves.fix.1",
            "waves.fix.2",
            "waves.fix.3",
        ),
        "test_a_move_undone_done_again_and_saved_is_one_plan_that_is_kept": (
            "waves.later",
            "waves.save",
            "waves.undo",
            "waves.redo",
            "waves.take_back",
        ),
        "test_many_groups_are_marked_and_moved_to_a_chosen_wave": ("waves.move",),
        "test_a_new_wave_a_lock_a_merge_and_a_split": (
            "waves.new",
            "waves.split",
            "waves.merge",
            "waves.lock",
            "waves.diff",
        ),
        "test_edits_are_dropped_only_by_the_word_and_made_again_on_a_plan_of_somebody_else": (
            "waves.discard",
            "waves.renew",
        ),
    },
    "screens/test_waves.py": {
        "test_the_chart_is_scrolled_and_zoomed_and_follows_the_cursor": (
            "waves.left",
            "waves.right",
            "waves.zoom_in",
            "waves.zoom_out",
            "waves.whole",
        ),
        "test_the_three_views_share_cursor_filter_and_marks": (
            "waves.view",
            "waves.view_back",
        ),
    },
    "screens/test_settings.py": {
        "test_windows_are_added_come_back_and_say_what_is_odd": ("settings.add",),
        "test_items_of_lists_and_names_are_added_changed_and_taken_away": ("settings.edit",),
        "test_an_entry_is_changed_judged_undone_and_set_back_to_its_default": (
            "settings.remove",
            "settings.undo",
            "settings.versions",
        ),
        "test_networks_are_mapped_by_choice_and_by_pattern_with_a_preview": ("settings.pattern",),
        "test_holidays_and_the_lun_sheet_and_a_plan_come_from_jobs_and_files": (
            "settings.calendar",
            "settings.luns",
            "settings.plan",
        ),
    },
    "screens/test_places.py": {
        "test_enter_on_a_wave_opens_it_in_waves": ("open",),
        "test_tab_goes_round_the_panels_and_u_reads_again": (
            "panel",
            "panel.back",
            "refresh",
        ),
        "test_number_keys_go_to_places_and_escape_goes_back": ("back",),
        "test_help_is_made_from_the_action_table": ("help",),
        "test_q_leaves_and_says_what_goes_on": ("quit",),
    },
    "screens/test_table_place.py": {
        "test_a_filter_is_written_applied_completed_and_left": ("filter",),
        "test_saved_filters_are_picked": ("filter.saved",),
        "test_marks_sorting_and_columns_go_by_keys": (
            "mark",
            "mark.all",
            "sort",
            "reverse",
            "columns",
        ),
        "test_what_is_copied_is_plain_text_with_tabs": (
            "copy",
            "copy.all",
        ),
        "test_the_table_is_written_to_a_new_file_that_no_spreadsheet_runs": ("write",),
    },
    "test_palette.py": {
        "test_an_action_is_done_from_the_palette": ("palette",),
        "test_go_to_offers_things_only_and_goes_there": ("jump",),
    },
    "test_terminal.py": {
        "test_it_is_stopped_for_the_shell_and_goes_on": ("shell",),
    },
    "test_bindings.py": {
        "test_import_and_export_are_a_key_away": (
            "import",
            "export",
        ),
        "test_work_in_hand_is_a_key_away": ("job",),
        "test_digits_go_to_places_or_say_what_to_use": (
            "go.overview",
            "go.inventory",
            "go.dependencies",
            "go.waves",
            "go.rehearse",
            "go.replicate",
            "go.cutover",
            "go.journal",
            "go.checks",
            "go.settings",
        ),
        "test_reasons_and_the_score_are_a_key_away": (
            "waves.why",
            "waves.card",
        ),
    },
    "screens/test_waves_work.py": {
        "test_waves_are_approved_with_what_they_are_in_sight": (
            "waves.approve",
            "waves.approve_all",
        ),
        "test_it_is_planned_as_a_job_and_two_plans_are_compared": ("waves.plan",),
        "test_what_if_is_shown_as_a_difference_and_adopted": ("waves.what_if",),
        "test_an_edited_table_is_read_back": ("waves.import",),
    },
}
TRIED = {
    action: f"{file}::{test}"
    for file, tests in _FILES.items()
    for test, actions in tests.items()
    for action in actions
}
