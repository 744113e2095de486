-- By its tag a value is found only by who shows it whole: a wrong secret costs what an unknown id costs.
CREATE INDEX key_values_by_mac ON key_values (mac);
