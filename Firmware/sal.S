// SAL_PROC: stacked calling convention, function number in in0, seven arguments.
        .balign 32, 0
sal_proc:
        procedure GATE_SAL
// OS_INIT returns here; the emulator finds the place behind sal_proc.
        procedure GATE_INIT_RETURN

translate:
        translate_page
