// The smallest EFI application that says something: a line on the console, then its status.
        .include "pe.inc"
        pe_header

        function entry, 2, 1
        add r14 = CONSOLE_OUT, in1
        ld8 loc3 = [r14]
        mov out0 = loc3
        address out1, greeting
        add r14 = OUTPUT_STRING, loc3
        ld8 r14 = [r14]
        call_descriptor
        mov r8 = 0
        return

        text greeting, "Hello from an EFI application\r\n"
        pe_end
