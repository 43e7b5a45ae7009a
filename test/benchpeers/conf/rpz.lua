rpzFile("{DIR}/list", {policyName="rpz.example.org"})
