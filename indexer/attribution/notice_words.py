"""The words that licences and copyright notices are written in.

In: nothing. Out: two sets of words in small letters. It refuses to know what follows from a word;
`indexer/attribution/notice.py` has that rule.

They were chosen by count: the words of 155 distinct licence texts (those of Debian and of the packages that codecite
installs) and of 2,129 comments at the heads of files that speak of a copyright, a licence or a warranty, against the
words of all other comments in the same 5,000 files. Names of persons and companies were taken out by hand.
"""

from __future__ import annotations

LEGAL = frozenset(
    b"""
    acknowledgment addendum advised agreement alleging arising attribution authorized authorship boston claim claims
    commercial compliance conspicuously constitutes construed contract contribution contributions contributor
    contributors contributory convey conveyed copies copyleft copyright copyrighted counterclaim damage damages de
    dealings deemed defective defend deliberate derivative disclaimed disclaimer disclaimers disclaims distribute
    distributed distributing distribution elaborations endorse exclusion exemplary exercise exercising fitness
    foundation franklin freedom furnished gnu goodwill gpl grant granted granting grants gratis grossly hereby
    herein implied incidental incurred indemnify indemnity indirect infringe infringed infringement intellectual
    irrevocable judgment jurisdiction law laws lawsuit legal lesser liability liable licence licenced licences
    licensable license licensed licensee licenses licensing licensor limitation limitations limited litigation
    malfunction materials merchantability misrepresented modification modifications modified negligence negligent
    noncommercial noninfringement notice notices notwithstanding obligations obtain obtaining patent patents
    permission permissions permit permitted procurement prohibited prominent proprietary provisions publicity
    reasonable recommend redistribute redistributing redistribution redistributions representatives reproduce
    reproduced reproducing reproduction responsibilities responsibility restriction restrictions rights royalty sell
    spdx sublicense tort tortious trademark trademarks unencumbered unenforceable unlicense verbatim waived warrant
    warranties warranty whatsoever
    """.split()
)
"""Words that stand in notices, and hardly ever in other comments."""

PLAIN = frozenset(
    b"""
    a above absence absolutely accept acceptance accepting access accompany accompanying acknowledges act acting
    action acts add addition additional additions address addressed advertising affero affiliates after against agpl
    agree agreed all allowed alone along alongside also alter altered alternatively an and annotations any anyone
    apache appear appendix applicable applies apply appreciated appropriate appropriateness archive archives are arm
    as asserted associated assume assumed at attach attached attempt author authors automatically available ave
    based basis be because been behalf being below beneficial between binary bind boilerplate boost both brackets
    brief bsd business but by c california called cambridge can cannot carry case cause caused cddl certain change
    changed changes changing chapter character charge choice choose class clause code com combination combine
    combined comment common communication compile compiled complete complies comply computer concerning concerns
    conditions configuration conflict connection consequential considered consistent contact contained containing
    contains content contents control controlled conversions copy copying corp corporation corresponding cost court
    covered create cross customary data date defined definition definitions deliverables derived describing
    description designated detail details determining develop developers development device devices differ different
    direct direction directly directory discussing display distinguishing dnl do document documentation does domain
    don each easier eclipse editorial effect either electronic email employer enclosed end entire entities entity
    epl equivalent essential even event ever every everyone example except exception exceptions excluding exclusive
    executable executed explicitly express expressed expressly extent facilities failure fee fields fifth fifty file
    filed files find first floor following for form format forms found free freely from full functions further
    general generated get github give given gmail goods google governed governing greatest guess harmless has have
    having header held hereunder hold holder holders hope how however hpp html http https identification identifier
    identifying if ii iii implementation import improving in inability inc include included includes including
    inclusion incorporate incorporated incorporates indicated individual information informational installation
    institute intel intended intentionally interface interfaces interruption into is isc issue it item items its
    january june kernel kind known language later least lgpl libraries library link linux list listed lists llc
    logos loss losses ltd ma machine made mailing main make makes making managed management many marked marks mass
    material may mean means mechanical media medium meet mere merely merge met mit modify modifying module more most
    mozilla mpl must name names necessarily necessary need neither net new no non nor normally not nothing number
    numbered object of offer offering on one only open opensource option or order org organization origin original
    other others otherwise out output outstanding own owner ownership package packages page paragraph paragraphs
    part particular parties parts party percent perform performance perpetual person persons pertain pertaining
    place places plainly please portions possibility possible power preface preferred prepare present price
    principal printed prior problems product products profits program programmer programs project promote property
    prove provide provided provides provision public publicly publish published purchase purpose purposes python
    readable reason received recipient recipients reference refers regard regarding regents regulation related
    relationship released rem remain remains removed repair replaced represent required research reserved respect
    respects responsible result resulting retain revised revisions right risk risks s same saying scripts section
    sections see semiconductor sent separable separate service services servicing shall shares should signed similar
    single so software sole solely some source speak special specific specified specifies specify spirit standard
    state stated statement states stating stoppage street strict subject submission submit submitted subsequent
    subsequently substantial substitute such suite supersede supplement support surrender syntax system systems team
    technology temple terminate terms text than that the their them then theory there thereof these they thing third
    this those through time title to together tracking trade transfer transformation translation tree two txt types
    under union university unless unmodified usa use used useful user users uses using verbal version versions view
    was way we well when where wherever whether which whichever while who whole whom wide widely will wish with
    within without work works world worldwide would write writing written wrote www year you your yyyy zlib
    """.split()
)
"""Words that notices are made of beside them, and that other prose has as well."""
