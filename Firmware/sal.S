// SAL_PROC: stacked calling convention, function number in in0, seven arguments.
        .balign 32, 0
sal_proc:
        procedure GATE_SAL

translate:
        translate_page
