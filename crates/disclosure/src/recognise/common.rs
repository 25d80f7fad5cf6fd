//! Words that are met in any text, and are also somebody's name.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Whether the word, in normal form, is met in texts that speak of nobody: English words and some
/// of its neighbours, months, colours, trades, cities and brands.
pub(super) fn is_common(word: &str) -> bool {
    static SET: LazyLock<HashSet<&str>> = LazyLock::new(|| COMMON.split_whitespace().collect());
    SET.contains(word)
}

const COMMON: &str = "
abend aber abilene about above academy account across address adelaide after again against
agent agua ahora air alexa alexandria all alle almost alone along already also although alto
always amazon amber amigo among amor angel angeles another answer antes anything apple april
aqui arbol area arlington around ash asia asked athens atlanta auch auf august aunque aurora
austin autumn avec away bajo baker ball band bank bar barber barcelona base bass bauer bay
beach bear because bed been before began behind bei being bell below berg berkeley berlin
best better between bien big bill bird bishop black blanc blanco blue blume board boat body
boeing bois bon bonito bonne book born boston both bow box boy braun bridge bright bring
bristol brook brooklyn brooks brown bruder brush buch build bush business butcher butler
call calle camden came camino camp campo candy cannon capital captain car card care carolina
carpenter carry carter casa case cash castle center central cerca chance change chaque
charity charlotte chase chelsea cherry chester chevron chez chicago child christian church
cinco city ciudad clark class clay clayton clear cleveland clinton close cloud coast cold
cole college cologne columbus come common como company complete con contact cook cool copper
country course court cover crane cross cruz crystal cuando current customer cut daisy dakota
dale dallas dann dans data date davenport dawn day days dean dear december deep dein delgado
delivery dell denver depot depuis der derby des desde desk despues deux dia diamond die
dinner direct dish disney doctor does donde done door dover down drake draw drei drink drive
drop dry dublin duke dulce durham during each earl early earth east easy eden edge eight
eine einen either elder else ember end english enough entre erde essex est estrella even
evening ever every example eye face faith fall family far farm farmer fast february few
field file find fine fire first fischer fish fisher five flat fleur flint floor flor
florence flores florida flower fog food foot ford forest forward fountain four fox france
frank free freeman frei freitag french fresh friday friend from front frost fuente full game
gap garden gardner gate general geneva georgia german germany get ginger girl give glass
glover goes gold golden gone good google grace gracia grand grande grant gray great green
grey gross ground group grove grow guerra guide gut hall hamilton hampton hand harbor hard
harper has hat haus have hawk hazel head hear heart heath heather heaven heavy held hello
help herb here hermano heute hey hier high hijo hill his hoch hof hold hole holly hombre
home honda honey hood hope horn horse host hot hotel hour hours house houston how hoy hunt
hunter ice iglesia india indiana inside ipsum ireland iron island israel italy ivy jack
jackson jaguar jahr jamaica january jasmine jay jersey jewel job jordan joy judge july june
jung jupiter just justice kaiser kalt kann keep kein kensington kent key kind king kings
kingston kitchen klein knight know koch koenig konig krause kunde kurz lake lamb lancaster
lance land lane lange lapin large last late later laurel law lead leaf learn least leave
left leon less level lexington liebe life light like lily lincoln line lisbon list little
live local logan london long look lord lorem lot lotus lourdes love low lucerne luna luz
made madison madre madrid mai main mais make malo malta man manchester mann many mar march
marina mark market marsh martin mason master matter may mayor means meet mehr mein mejor
melbourne melody meme memphis mercedes mercury mercy mes mesa mesmo meta mexico miami micro
might mike milan mile miles mill miller mind mine mini mint miss mittwoch moment mon monday
monde money montag montana month moon moore moral more moreno morgen morning mort moss most
mother mountain mouth move much mucho mueller muller mundo music must myrtle nach nacht nada
name naples nashville near need neptune neu neumann nevada never new newport next nice nicht
night nine nissan noble noche nokia none noon norfolk north note nothing notice nova
november now nuevo nuit number nur october oder odessa off office often ohne oil okay old
olive once one only open oracle orange order orion orlando oro other otro our out outside
over own oxford pace padre page paid paint painter palm paper para paris park part party
pass past patience payne paz peace pearl penny people pepper pequeno pero person perth petit
phoenix phone piece pierre pine pink pitt pittsburgh pixel place plan plane plant plate play
plaza please pluto poco point pole pont pool poor pope poppy por porque porsche port porter
post potter pour power present president preston price prime primero prince prior public
puerta pull purple put que queen question quick quien quiet quite rain raleigh raven reach
read ready real red reed regards rest rey rice rich richmond richter right ring rio rise
river road robin rock rojo roma rome room rosa rose rouge round rubio ruby rule run running
rush rusty sage said sail saint sale salmon same samstag samsung sand santo saturday saturn
savage savannah say schmidt schneider school schwarz scout sea season second see sehr sein
self sell send sense september serrano serve service set seven several shade shape sharp
shaw she sheffield shelby shepherd sheriff shine ship shop short should show side siemens
siempre sight sign silver simple since single six sky sleep slow small smart smith snow
sobre soeur sofia sol soleil some somerset sommer son song sonne sonntag sony soon sorry
sound sous south spain spark special spring square stadt staff stafford stand star starling
start state station stay steel stein step still stockholm stone stop store storm story
straight strasse street stripe strong such summer sun sunday sunny sur sure sweet swift
sydney table tag tailor take talk tall tambien tanner target taylor teacher tell temple ten
tennessee terry tesla texas than thank thanks that their them then there these they thing
think third this those though thousand three through thursday tiempo time today todo
together told tomorrow took top torre tout toute town toyota track trade train travel tree
trenton trinidad trois troy true try tucker tuesday tulsa turn turner twenty twitter two
type uber und under union unit uno unter until upon upper use used usual valencia valley
vancouver vega venice venus verde verona vert very victor victoria vida viejo viel vienna
vier view village ville vino viola violet virginia visa visit vogel voice volvo vom von wade
wagner wait wald wales walk walker wall wann want war ward warm warren warsaw was washington
watch water way weaver web webb weber wednesday week weeks weiss weit well wellington wenn
went wer west westminster what wheat wheel when where which while white who whole why wide
wie will willow winchester windsor winter wir wise wish with within without wolf woman wood
woods worcester word words work world worth would write wrong yard year years yellow yes yet
york you young your zeit zero zimmermann zum zur zwei
";
